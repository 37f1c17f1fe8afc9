/** The view of a conversation: its messages, and below each call its result, which is folded if it is long. */

import { h } from "./dom.js";
import { count } from "./format.js";
import { indentJson, inline, textBlock } from "./text.js";

/** @typedef {import("../protocol.ts").EpisodeView} TalkEpisode */
/** @typedef {import("../protocol.ts").MessageView} TalkMessage */
/** @typedef {import("../protocol.ts").CallView} TalkCall */

/** The length in characters above which JSON results of tools are initially folded. */
const UNFOLDED = 240;

/**
 * Shows the conversation of an episode as a list of messages.
 * @param {TalkEpisode} episode
 * @returns {HTMLElement}
 */
export function conversation(episode) {
  const list = h("ol.talk");
  let turn = -1;
  episode.messages.forEach((message, i) => {
    const isAnswer = message.role === "tool" ||
      episode.messages[i - 1]?.calls.length;
    if (
      message.turn !== null && message.turn !== turn &&
      message.role === "assistant"
    ) {
      turn = message.turn;
      list.append(turnMark(episode, turn));
    }
    list.append(
      h(
        "li",
        {
          class: `message ${roleClass(message)}`,
          "data-turn": message.turn,
          tabindex: "-1",
        },
        h("div.who", whoOf(message)),
        h(
          "div.what",
          thoughtOf(message),
          contentOf(message, Boolean(isAnswer)),
          message.calls.map(call),
        ),
      ),
    );
  });
  if (episode.messages.length === 0) {
    list.append(h("li.muted", "The conversation is empty."));
  }
  return list;
}

/**
 * Folds or unfolds everything that can be folded.
 * @param {HTMLElement} talk
 */
export function toggleFolds(talk) {
  const folds = [...talk.querySelectorAll("details")];
  const isOpening = folds.some((fold) => !fold.open);
  for (const fold of folds) fold.open = isOpening;
}

/**
 * Shows a call with its arguments, on one line or, if they are long, as a list.
 * @param {TalkCall} one
 */
export function call({ name, arguments: args }) {
  const isShort = args.every(([, value]) =>
    value.length <= 60 && !value.includes("\n")
  );
  return h(
    "div.call",
    h("b.tool", inline(name, 80)),
    isShort
      ? h(
        "span.arguments",
        args.flatMap(([key, value]) => [" ", argument(key, value)]),
      )
      : h(
        "dl.arguments",
        args.flatMap((
          [key, value],
        ) => [
          h("dt", inline(key, 80)),
          h("dd", textBlock(value, { className: "code" })),
        ]),
      ),
  );
}

/**
 * @param {string} key
 * @param {string} value
 */
function argument(key, value) {
  return h(
    "span.argument",
    h("span.muted", inline(key, 80), "="),
    inline(value, 80),
  );
}

/**
 * @param {TalkEpisode} episode
 * @param {number} turn
 */
function turnMark({ database, siblings }, turn) {
  const writes = database.writes.find((write) => write.turn === turn)?.rows ??
    [];
  const parting = siblings.filter(({ partsAt }) => partsAt === turn);
  return h(
    "li",
    { class: `turn${parting.length > 0 ? " parts" : ""}`, id: `turn-${turn}` },
    h("span.turn-number", `turn ${turn + 1}`),
    writes.length > 0
      ? h("span.tag.write", "writes ", inline(writes.join(", "), 120))
      : null,
    parting.length > 0
      ? h(
        "span.tag.part",
        `siblings that diverge here: ${parting.length} of ${
          siblings.length - 1
        }`,
      )
      : null,
  );
}

/** @param {TalkMessage} message */
function thoughtOf({ thought }) {
  return thought === ""
    ? null
    : fold(`Thought: ${preview(thought)}`, thought, false);
}

/**
 * @param {TalkMessage} message
 * @param {boolean} isAnswer
 */
function contentOf({ role, content }, isAnswer) {
  if (content === "") return null;
  if (role === "system") {
    return fold(
      `System prompt, ${count(content.length)} characters`,
      content,
      false,
    );
  }
  const laidOut = isAnswer ? indentJson(content) : null;
  if (laidOut !== null) {
    return content.length <= UNFOLDED
      ? textBlock(content, { className: "said code" })
      : fold(preview(content), laidOut, false);
  }
  return textBlock(content);
}

/**
 * @param {string} label
 * @param {string} content
 * @param {boolean} isOpen
 */
function fold(label, content, isOpen) {
  const details = h(
    "details",
    { open: isOpen },
    h("summary", inline(label, 160)),
  );
  const room = h("div");
  details.append(room);
  // A prompt of 50 kB is laid out only when it is unfolded.
  details.addEventListener("toggle", () => {
    if (details.open && room.childElementCount === 0) {
      room.append(textBlock(content, { className: "said code" }));
    }
  });
  return details;
}

/** @param {string} content */
function preview(content) {
  return content.length > 110 ? `${content.slice(0, 110)}…` : content;
}

/** @param {TalkMessage} message */
function roleClass({ role, content }) {
  if (role === "parse_error") return "assistant unread error";
  const isError = role === "tool" && content.startsWith("Error");
  const known = ["system", "user", "assistant", "tool"].includes(role)
    ? role
    : "other";
  return isError ? `${known} error` : known;
}

/** @param {TalkMessage} message */
function whoOf({ role, name }) {
  if (role === "assistant") return "agent";
  if (role === "parse_error") return "agent: unreadable";
  if (role === "tool") {
    return name === null || name === "" ? "tool" : inline(name, 60);
  }
  return inline(role, 30);
}
