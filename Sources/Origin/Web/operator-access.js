// Tokens, which are shown once, and links to signed cameras.

import { publicAddress } from "./operator-camera.js";
import { ask, say } from "./operator.js";
import { make, moment } from "./operator-text.js";

/** @typedef {import("./operator.js").Overview} Overview */
/** @typedef {{ id: string, for: string, made: string, note: string }} Token */

const LENGTHS = [["1 hour", 3600], ["1 day", 86_400], ["1 week", 604_800], ["30 days", 2_592_000], ["1 year", 31_536_000]];

/**
 * A button that copies a text.
 * @param {() => string} text
 */
function copier(text) {
  const button = make("button", {
    type: "button",
    click: async () => {
      const isDone = await navigator.clipboard?.writeText(text()).then(() => true, () => false);
      button.textContent = isDone ? "Copied" : "Select and copy";
      setTimeout(() => (button.textContent = "Copy"), 2000);
    },
  }, "Copy");
  return button;
}

/**
 * A form that makes links to a signed camera.
 * @param {import("./operator.js").Item[]} cameras Those to choose from.
 * @param {Overview} overview
 */
export function linkMaker(cameras, overview) {
  const choice = make("select", { "aria-label": "Camera" }, ...cameras.map(({ camera, title }) => make("option", { value: camera }, title)));
  const time = make("select", { "aria-label": "How long the link is valid" },
    ...LENGTHS.map(([name, seconds]) => make("option", { value: seconds, ...(seconds === 86_400 && { selected: true }) }, name)));
  const made = make("output.secret", { tabindex: 0, "aria-label": "The link" });
  const ends = make("p.note");
  const result = make("div", { hidden: true }, make("div.row", {}, made, copier(() => made.textContent ?? "")), ends);
  return make(
    "form", {
      submit: async (/** @type {SubmitEvent} */ event) => {
        event.preventDefault();
        try {
          const link = await ask(`links?camera=${encodeURIComponent(choice.value)}&for=${time.value}`, { method: "POST" });
          made.textContent = publicAddress(overview) + link.path;
          ends.textContent = `Valid until ${moment(link.ends)}. Links are not kept: all end when link-key changes.`;
          result.hidden = false;
        } catch (error) {
          say(`No link was made: ${error.message}.`, true);
        }
      },
    },
    make("div.row", {}, cameras.length > 1 ? choice : null, time, make("button.main", { type: "submit" }, "Make a link")),
    result,
  );
}

/** The view of tokens and links. */
export class AccessView {
  title = "Access";
  #rows = make("tbody");
  #empty = make("p.none", {}, "No token was made here yet. Those of the configuration are not listed.");
  #table = make("table", { hidden: true },
    make("thead", {}, make("tr", {}, ...["For", "Note", "Made", ""].map((name) =>
      name ? make("th", { scope: "col" }, name) : make("td")))), this.#rows);
  #shown = make("div.new-token", { hidden: true, role: "status" });
  #dialog = make("dialog", { "aria-labelledby": "revoke-title" });
  /** @type {Map<string, string>} */
  #titles;

  /** @param {Overview} overview */
  constructor(overview) {
    const { cameras } = overview;
    this.#titles = new Map(cameras.map(({ camera, title }) => [camera, title]));
    const purpose = make("select", { id: "purpose" },
      ...cameras.map(({ camera, title }) => make("option", { value: `camera:${camera}` }, `Send stills of ${title}`)),
      make("option", { value: "operator" }, "Operate everything"));
    const note = make("input", { id: "note", maxlength: 80, autocomplete: "off", placeholder: "Camera in the attic" });
    const form = make(
      "form.make", {
        submit: async (/** @type {SubmitEvent} */ event) => {
          event.preventDefault();
          try {
            const query = new URLSearchParams({ for: purpose.value, note: note.value });
            const { token } = await ask(`tokens?${query}`, { method: "POST" });
            this.#show(token);
            note.value = "";
            this.#load();
          } catch (error) {
            say(`${error.message}.`, true);
          }
        },
      },
      make("p", {}, make("label", { for: "purpose" }, "What it is for"), purpose),
      make("p", {}, make("label", { for: "note" }, "Note"), note),
      make("button.main", { type: "submit" }, "Make a token"),
    );
    const signed = cameras.filter(({ access }) => access === "signed");
    this.node = make(
      "div.page", {}, make("h1", {}, "Access"),
      make("section.card-box", { "aria-labelledby": "tokens-title" },
        make("h2", { id: "tokens-title" }, "Tokens"),
        make("p.note", {}, "A token is shown once, when it is made. Only a digest is kept."),
        form, this.#shown,
        make("div.scroll", { tabindex: 0, role: "region", "aria-label": "Tokens that are valid" }, this.#table, this.#empty)),
      make("section.card-box", { "aria-labelledby": "links-title" },
        make("h2", { id: "links-title" }, "Links to signed cameras"),
        ...(signed.length
          ? [...(signed.length === 1 ? [make("h3", {}, signed[0].title)] : []), linkMaker(signed, overview)]
          : [make("p.none", {}, "No camera has access: signed, so everyone sees all of them without a link.")])),
      this.#dialog,
    );
    this.#load();
  }

  end() {
    if (this.#dialog.open) this.#dialog.close();
  }

  /** @param {string} token */
  #show(token) {
    const text = make("output.secret", { tabindex: 0, "aria-label": "The token" }, token);
    this.#shown.replaceChildren(
      make("p", {}, make("strong", {}, "Copy it now."), " It is not shown again."),
      make("div.row", {}, text, copier(() => token), make("button", { type: "button", click: () => this.#hide() }, "Hide")),
    );
    this.#shown.hidden = false;
  }

  #hide() {
    this.#shown.replaceChildren();
    this.#shown.hidden = true;
  }

  async #load() {
    /** @type {Token[]} */
    const tokens = await ask("tokens").then((answer) => answer.tokens, () => []);
    this.#table.hidden = tokens.length === 0;
    this.#empty.hidden = tokens.length > 0;
    this.#rows.replaceChildren(
      ...tokens.map((token) => {
        const name = token.for.replace("camera:", "");
        const purpose = token.for === "operator" ? "Operate everything" : `Stills of ${this.#titles.get(name) ?? name}`;
        return make("tr", {},
          make("td", {}, purpose), make("td", {}, token.note || "–"),
          make("td", {}, make("time", { datetime: token.made }, moment(token.made))),
          make("td.end", {}, make("button.danger", {
            type: "button", "aria-label": `Revoke ${token.note || purpose}`, click: () => this.#ask(token, purpose),
          }, "Revoke…")));
      }),
    );
  }

  /** @param {Token} token @param {string} purpose */
  #ask(token, purpose) {
    const close = () => this.#dialog.close();
    this.#dialog.replaceChildren(
      make("h2", { id: "revoke-title" }, "Revoke this token?"),
      make("p", {}, `${purpose}${token.note ? `, “${token.note}”` : ""}. Whoever uses it is refused from now on.`),
      make("div.row", {}, make("button", { type: "button", autofocus: true, click: close }, "Keep it"),
        make("button.danger.full", {
          type: "button",
          click: async () => {
            close();
            await ask(`tokens/${token.id}`, { method: "DELETE" }).then(
              () => say("The token is revoked."), (error) => say(`${error.message}.`, true));
            this.#hide();
            this.#load();
          },
        }, "Revoke")),
    );
    this.#dialog.showModal();
  }
}
