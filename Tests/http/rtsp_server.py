#!/usr/bin/python3
"""rtsp_server.py PORT KIND [COLOUR]: a camera by GStreamer's RTSP server; what clients ask for goes to the output.

It needs the system's Python (`python3-gi`, `gir1.2-gst-rtsp-server-1.0`), not the project's own. Kinds: h264, h265, sound,
digest (user `viewer`, password `pa:ss@/?`), resizing (the size changes every second), stalling (nothing comes after a
second, and the connection stays), udp (UDP alone, and packets get lost).
"""

import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

port, kind, colour = sys.argv[1], sys.argv[2], (sys.argv[3:] or ["ff14c814"])[0]
Gst.init(None)

caps = "video/x-raw,width={},height={},framerate=15/1"
source = f"videotestsrc is-live=true pattern=solid-color foreground-color=0x{colour}"
size = caps.format(320, 240)
x264 = "x264enc tune=zerolatency speed-preset=ultrafast key-int-max=8"
loss = "identity drop-probability=0.03 ! " if kind == "udp" else ""
if kind == "h265":
    coding = "x265enc tune=zerolatency speed-preset=ultrafast key-int-max=8 ! rtph265pay config-interval=-1 name=pay0 pt=96"
else:
    coding = f"{x264} ! {loss}rtph264pay config-interval=-1 name=pay0 pt=96"
launch = f"( {source} ! capsfilter name=size caps={size} ! valve name=valve ! videoconvert ! {coding} "
if kind == "sound":
    launch += "audiotestsrc is-live=true ! alawenc ! rtppcmapay name=pay1 pt=8 "
launch += ")"


def configure(_, media):
    bin_ = media.get_element()
    if kind == "resizing":
        filter_, step = bin_.get_by_name_recurse_up("size"), [0]

        def resize():
            step[0] += 1
            sides = [(320, 240), (480, 352), (160, 128)][step[0] % 3]
            filter_.set_property("caps", Gst.Caps.from_string(caps.format(*sides)))
            print("size", *sides, flush=True)
            return step[0] < 60

        GLib.timeout_add(1000, resize)
    if kind == "stalling":
        GLib.timeout_add(1000, lambda: bin_.get_by_name_recurse_up("valve").set_property("drop", True))


def asked(_, context):
    # The transport that the client wants, for each stream that it sets up.
    if context.request:
        _, value = context.request.get_header(GstRtsp.RTSPHeaderField.TRANSPORT, 0)
        print("setup", value, flush=True)


factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(launch)
factory.set_shared(kind != "stalling")
factory.connect("media-configure", configure)
if kind == "udp":
    factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)

server = GstRtspServer.RTSPServer()
server.set_address("127.0.0.1")
server.set_service(port)
if kind == "digest":
    auth = GstRtspServer.RTSPAuth()
    auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "viewer")
    auth.add_digest("viewer", "pa:ss@/?", token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_role("viewer")
    permissions.add_permission_for_role("viewer", "media.factory.access", True)
    permissions.add_permission_for_role("viewer", "media.factory.construct", True)
    factory.set_permissions(permissions)
server.get_mount_points().add_factory("/live", factory)
server.connect("client-connected", lambda _, client: client.connect("pre-setup-request", lambda c, x: asked(c, x) or 200))
server.attach(None)
print("ready", server.get_bound_port(), flush=True)
GLib.MainLoop().run()
