/** The tokens of an episode, colored by the loss mask and by each token's probability when it was sampled. */

import { fill, h } from "./dom.js";
import { count } from "./format.js";
import { inline, visible } from "./text.js";

/** @typedef {import("../protocol.ts").TokensView} ShownTokens */

const AT_ONCE = 4000;

/** The lowest probability of each class of tokens, most likely first. */
const LEVELS = /** @type {const} */ ([0.9, 0.5, 0.1, 0.01, 0]);
const LEVEL_WORDS = ["over 90%", "50–90%", "10–50%", "1–10%", "under 1%"];

/**
 * @param {ShownTokens} tokens
 * @returns {HTMLElement}
 */
export function tokensBlock(tokens) {
  const { ids, mask, note } = tokens;
  const sampled = mask.filter((one) => one === 1).length;
  const readout = h(
    "p.token-readout",
    { role: "status" },
    "Point at a token, or move with the arrow keys.",
  );
  const stream = h("div.token-stream", {
    tabindex: "0",
    role: "group",
    "aria-label": `${ids.length} tokens; use the arrow keys to move`,
    dir: "ltr",
  });
  let shown = 0;
  const more = h("button", { type: "button", class: "more", onclick: grow });

  function grow() {
    const to = Math.min(ids.length, shown + AT_ONCE);
    const fragment = document.createDocumentFragment();
    for (let t = shown; t < to; t++) fragment.append(tokenOf(tokens, t));
    stream.append(fragment);
    shown = to;
    more.textContent = `Show more (${
      count(ids.length - shown)
    } tokens remaining)`;
    more.hidden = shown >= ids.length;
  }

  let at = -1;
  /** @param {number} t */
  function read(t) {
    const element = stream.children[t];
    if (element === undefined) return;
    stream.children[at]?.classList.remove("at");
    at = t;
    element.classList.add("at");
    fill(readout, describeToken(tokens, t));
  }
  stream.addEventListener("pointerover", (event) => {
    const token = /** @type {HTMLElement} */ (event.target).closest(".token");
    if (token !== null) read([...stream.children].indexOf(token));
  });
  stream.addEventListener("keydown", (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    read(Math.max(0, Math.min(shown - 1, at + by)));
    stream.children[at]?.scrollIntoView({ block: "nearest" });
  });
  grow();
  return h(
    "div.tokens",
    h(
      "p.muted",
      `${count(ids.length)} tokens; ${
        count(sampled)
      } were sampled by the policy and are trained on, ${
        count(ids.length - sampled)
      } are context.`,
    ),
    note === null ? null : h("p.note", inline(note, 500)),
    legend(),
    readout,
    stream,
    more,
  );
}

function legend() {
  return h(
    "ul.legend",
    { "aria-label": "Colors" },
    h("li", h("span.token.context", "context"), " not trained on"),
    LEVEL_WORDS.map((words, level) =>
      h(
        "li",
        h("span", { class: `token sampled p${level}` }, "sampled"),
        ` ${words}`,
      )
    ),
  );
}

/**
 * @param {ShownTokens} tokens
 * @param {number} t
 */
function tokenOf({ ids, mask, logprobs, texts }, t) {
  const text = texts?.[t] ?? ` ${ids[t]}`;
  const probability = Math.exp(logprobs[t] ?? 0);
  const level = LEVELS.findIndex((least) => probability >= least);
  const token = h("span", {
    class: mask[t] === 1 ? `token sampled p${level}` : "token context",
  });
  // Shows a line break and also breaks the line.
  token.append(visible(text.replaceAll("\n", "↵\n")));
  return token;
}

/**
 * @param {ShownTokens} tokens
 * @param {number} t
 */
function describeToken({ ids, mask, logprobs, texts }, t) {
  const text = texts?.[t];
  const logprob = logprobs[t] ?? 0;
  const parts = [
    h("b", `#${t}`),
    h("span", `id ${ids[t]}`),
    text === undefined ? null : h("code", inline(JSON.stringify(text), 80)),
    mask[t] === 1
      ? h(
        "span",
        `sampled, logprob ${
          logprob.toFixed(4).replace("-", "−")
        }, probability ${(100 * Math.exp(logprob)).toFixed(1)}%`,
      )
      : h("span", "context, not trained on"),
  ];
  return parts.flatMap((part) => part === null ? [] : [part, " "]);
}
