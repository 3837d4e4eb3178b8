// The <quiet-cam> element: a camera's picture on any page.
//
//   <script type="module" src="https://HOST/quietcam.js"></script>
//   <quiet-cam src="https://HOST/desk/"><img src="https://HOST/desk/latest.jpg" alt="My desk" width="640" height="480"></quiet-cam>

// All modules are named here so that the browser asks for them at once and not one behind the other.
import "./_/fmp4.js";
import "./_/stream.js";
import "./_/frames.js";
import "./_/picture.js";
import "./_/visibility.js";
import "./_/ways.js";
import { QuietCam } from "./_/element.js";

if (!customElements.get("quiet-cam")) customElements.define("quiet-cam", QuietCam);

export { QuietCam };
