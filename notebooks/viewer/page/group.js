/** The group of an episode: its siblings, where they part, and all of them turn by turn beside each other. */

import { call } from "./conversation.js";
import { h } from "./dom.js";
import { rewardMark, signed, why } from "./format.js";
import { episodeHref } from "./shell.js";
import { inline, textBlock } from "./text.js";

/** @typedef {import("../protocol.ts").EpisodeView} GroupEpisode */
/** @typedef {import("../protocol.ts").MessageView} GroupMessage */

/**
 * The list of siblings.
 * @param {GroupEpisode} episode
 * @param {{ params: URLSearchParams, onCompare: () => void, isCompared: boolean }} options
 * @returns {HTMLElement | null}
 */
export function groupSection(episode, { params, onCompare, isCompared }) {
  const { siblings, row } = episode;
  if (siblings.length < 2) return null;
  const solved = siblings.filter(({ row: { reward } }) => reward === 1).length;
  const scored =
    siblings.filter(({ row: { reward } }) => reward !== null).length;
  return h(
    "section",
    { class: "panel group", "aria-labelledby": "group-title" },
    h("h2", { id: "group-title" }, "Group"),
    h(
      "p",
      { class: "muted" },
      `${siblings.length} episodes of this task, ${solved} of ${scored} solved.${
        scored > 1 && (solved === 0 || solved === scored)
          ? " No variance: this group does not train."
          : ""
      }`,
    ),
    h(
      "div",
      {
        class: "scroll-x",
        role: "region",
        tabindex: "0",
        "aria-label": "Siblings",
      },
      h(
        "table",
        { class: "siblings" },
        h(
          "thead",
          {},
          h(
            "tr",
            {},
            ["Episode", "Reward", "Adv.", "Parts at", "By"].map((name) =>
              h("th", { scope: "col" }, name)
            ),
          ),
        ),
        h(
          "tbody",
          {},
          siblings.map((sibling) => {
            const isSelf = sibling.row.id === row.id;
            return h(
              "tr",
              { class: isSelf ? "self" : null },
              h(
                "th",
                { scope: "row" },
                isSelf
                  ? h("span", { "aria-current": "true" }, String(row.id))
                  : h("a", {
                    href: episodeHref(episode.run, sibling.row.id, params),
                  }, String(sibling.row.id)),
              ),
              h(
                "td",
                { title: why(sibling.row) },
                rewardMark(sibling.row.reward),
              ),
              h("td", { class: "num" }, signed(sibling.row.advantage)),
              h(
                "td",
                {},
                isSelf
                  ? "this one"
                  : sibling.partsAt === null
                  ? "nowhere"
                  : h("a", {
                    href: episodeHref(
                      episode.run,
                      row.id,
                      withTurn(params, sibling.partsAt),
                    ),
                  }, `turn ${sibling.partsAt + 1}`),
              ),
              h(
                "td",
                { class: "parts-by" },
                sibling.partsBy === null ? "" : inline(sibling.partsBy, 80),
              ),
            );
          }),
        ),
      ),
    ),
    h(
      "button",
      {
        type: "button",
        onclick: onCompare,
        "aria-expanded": String(isCompared),
        "aria-keyshortcuts": "s",
      },
      isCompared ? "Close side by side" : "Side by side",
      " ",
      h("kbd", {}, "s"),
    ),
  );
}

/**
 * All episodes of a group, a column each, a row a turn; the first row in which they differ is marked.
 * @param {readonly GroupEpisode[]} episodes The one that is looked at first.
 * @returns {HTMLElement}
 */
export function sideBySide(episodes) {
  const columns = episodes.map(turnsIn);
  const length = Math.max(0, ...columns.map((turns) => turns.length));
  const texts = columns.map((turns) =>
    turns.map((messages) => JSON.stringify(messages))
  );
  let isParted = false;
  const rows = Array.from({ length }, (_, turn) => {
    const isSame = texts.every((column) => column[turn] === texts[0]?.[turn]);
    const isFirst = !isSame && !isParted;
    isParted ||= !isSame;
    return h(
      "tr",
      { class: isFirst ? "parts" : isSame ? "same" : null },
      h(
        "th",
        { scope: "row" },
        `turn ${turn + 1}`,
        isFirst ? h("span", { class: "tag part" }, "they part") : null,
      ),
      columns.map((turns, i) =>
        h(
          "td",
          {
            class: i > 0 && texts[i]?.[turn] === texts[0]?.[turn]
              ? "like-first"
              : null,
          },
          (turns[turn] ?? []).map(brief),
          turns[turn] === undefined
            ? h("span", { class: "muted" }, "over")
            : null,
        )
      ),
    );
  });
  return h(
    "div",
    {
      class: "scroll-x beside",
      role: "region",
      tabindex: "0",
      "aria-label": "Side by side",
    },
    h(
      "table",
      {},
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("td"),
          episodes.map(({ row }) =>
            h(
              "th",
              { scope: "col" },
              `${row.id} `,
              rewardMark(row.reward),
              " ",
              h("span", { class: "muted" }, inline(why(row), 40)),
            )
          ),
        ),
      ),
      h("tbody", {}, rows),
    ),
  );
}

/**
 * @param {GroupEpisode} episode
 * @returns {GroupMessage[][]}
 */
function turnsIn({ messages }) {
  /** @type {GroupMessage[][]} */
  const turns = [];
  for (const message of messages) {
    if (message.turn === null) continue;
    const turn = turns[message.turn];
    if (turn === undefined) turns[message.turn] = [message];
    else turn.push(message);
  }
  return turns;
}

/** @param {GroupMessage} message */
function brief({ role, content, calls }) {
  const text = content.length > 300 ? `${content.slice(0, 300)}…` : content;
  return h(
    "div",
    {
      class: `brief ${
        role === "assistant" ? "assistant" : role === "user" ? "user" : "tool"
      }`,
    },
    text === "" ? null : textBlock(text),
    calls.map(call),
  );
}

/**
 * @param {URLSearchParams} params
 * @param {number} turn
 */
function withTurn(params, turn) {
  const next = new URLSearchParams(params);
  next.set("turn", String(turn + 1));
  return next;
}
