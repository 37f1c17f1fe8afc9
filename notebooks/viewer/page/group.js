/** Shows an episode's group: its siblings, the turn in which each of them differs, and all of them side by side. */

import { call } from "./conversation.js";
import { h, keyButton, panel, scrollTable } from "./dom.js";
import { rewardMark, signed, why } from "./format.js";
import { episodeHref, withParam } from "./shell.js";
import { inline, textBlock } from "./text.js";

/** @typedef {import("../protocol.ts").EpisodeView} GroupEpisode */
/** @typedef {import("../protocol.ts").MessageView} GroupMessage */

/**
 * Lists the siblings of an episode. Returns `null` if the group has no other episode.
 * @param {GroupEpisode} episode
 * @param {{ params: URLSearchParams, onCompare: () => void, isCompared: boolean }} options
 * @returns {HTMLElement | null}
 */
export function groupSection(episode, { params, onCompare, isCompared }) {
  const { siblings } = episode;
  if (siblings.length < 2) return null;
  const solved = siblings.filter(({ row: { reward } }) => reward === 1).length;
  const scored =
    siblings.filter(({ row: { reward } }) => reward !== null).length;
  return panel(
    "group",
    "Group",
    h(
      "p.muted",
      `${siblings.length} episodes of this task, ${solved} of ${scored} solved.${
        scored > 1 && (solved === 0 || solved === scored)
          ? " No variance: this group gives no learning signal."
          : ""
      }`,
    ),
    scrollTable("table.siblings", "Siblings", {
      heads: ["Episode", "Reward", "Adv.", "Diverges at", "By"],
      rows: siblings.map((sibling) => siblingRow(sibling, { episode, params })),
    }),
    keyButton(isCompared ? "Close side by side" : "Side by side", "s", {
      onclick: onCompare,
      "aria-expanded": String(isCompared),
    }),
  );
}

/**
 * @param {GroupEpisode["siblings"][number]} sibling
 * @param {{ episode: GroupEpisode, params: URLSearchParams }} options
 */
function siblingRow({ row, partsAt, partsBy }, { episode, params }) {
  const { run, row: { id } } = episode;
  const isSelf = row.id === id;
  const href = (/** @type {number} */ turn) =>
    episodeHref(run, id, withParam(params, "turn", String(turn + 1)));
  return h(
    "tr",
    { class: isSelf ? "self" : null },
    h(
      "th",
      { scope: "row" },
      isSelf
        ? h("span", { "aria-current": "true" }, String(id))
        : h("a", { href: episodeHref(run, row.id, params) }, String(row.id)),
    ),
    h("td", { title: why(row) }, rewardMark(row.reward)),
    h("td.num", signed(row.advantage)),
    h(
      "td",
      isSelf
        ? "this one"
        : partsAt === null
        ? "never"
        : h("a", { href: href(partsAt) }, `turn ${partsAt + 1}`),
    ),
    h("td.parts-by", partsBy === null ? "" : inline(partsBy, 80)),
  );
}

/**
 * Shows the episodes of a group as columns, with one row per turn. The first row in which they differ is marked.
 * @param {readonly GroupEpisode[]} episodes The episodes of the group, starting with the one that the reader opened.
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
        isFirst ? h("span.tag.part", "diverge here") : null,
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
          turns[turn] === undefined ? h("span.muted", "ended") : null,
        )
      ),
    );
  });
  const heads = episodes.map(({ row }) =>
    h(
      "th",
      { scope: "col" },
      `${row.id} `,
      rewardMark(row.reward),
      " ",
      h("span.muted", inline(why(row), 40)),
    )
  );
  const table = scrollTable("table", "Side by side", {
    heads: [h("td"), ...heads],
    rows,
  });
  table.classList.add("beside");
  return table;
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
