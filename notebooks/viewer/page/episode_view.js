/** The page of an episode: its conversation, its database changes, and the reasons for its reward. */

import { call, conversation, toggleFolds } from "./conversation.js";
import { databaseSection } from "./database.js";
import { fill, h, keyButton, panel, scrollTable } from "./dom.js";
import { count, duration, rewardMark, signed, words } from "./format.js";
import { groupSection, sideBySide } from "./group.js";
import {
  episodeHref,
  filterOnly,
  notice,
  tableHref,
  withParam,
} from "./shell.js";
import { checkList } from "./checks.js";
import { inline, textBlock } from "./text.js";
import { tokensBlock } from "./tokens.js";

/** @typedef {import("./api.js").Api} EpisodeApi */
/** @typedef {import("./shell.js").View} EpisodeShellView */
/** @typedef {import("./shell.js").Route} EpisodeRoute */
/** @typedef {import("../protocol.ts").EpisodeView} OneEpisode */
/** @typedef {import("../protocol.ts").Place} OnePlace */
/** @typedef {import("../protocol.ts").FindingView} OneFinding */
/** @typedef {import("../../../env/types.ts").Usage} OneUsage */

/**
 * @param {EpisodeApi} api
 * @param {EpisodeRoute} route
 * @returns {EpisodeShellView}
 */
export function episodeView(api, route) {
  const controller = new AbortController();
  const { signal } = controller;
  const { run, id } = route;
  let params = route.params;
  const filter = filterOnly(params);
  /** @type {OnePlace | undefined} */
  let place;
  /** @type {OneEpisode | undefined} */
  let episode;
  let drawn = "";
  let isNew = true;

  const head = h("header.episode-head");
  const reasons = h("section.reasons", { "aria-label": "Why" });
  const talk = h("section.talk-section", { "aria-labelledby": "talk-title" });
  const side = h("div.side");
  const besides = h("section.besides", {
    "aria-label": "Siblings side by side",
    hidden: true,
  });
  const element = h(
    "div.page.episode-page",
    head,
    reasons,
    besides,
    h("div.columns", side, talk),
  );

  async function refresh() {
    const { value, tag } = await api.episode(run, id, filter, signal);
    place = value.place;
    if (tag === drawn) return;
    const isSame = episode !== undefined &&
      JSON.stringify(episode) === JSON.stringify(value.episode);
    drawn = tag;
    episode = value.episode;
    drawHead(episode, place);
    // If only the list around it grew, the page is left alone.
    if (isSame) return;
    fill(reasons, reasonsOf(episode));
    drawSide(episode);
    drawTalk(episode);
    if (params.has("beside")) await compare(episode);
    if (params.has("show-tokens")) await showTokens();
    if (isNew) goToTurn();
    isNew = false;
  }

  /**
   * @param {OneEpisode} one
   * @param {OnePlace} at
   */
  function drawHead({ row }, at) {
    const { position, matched, previous, next } = at;
    const hasFilter = [...filter.keys()].length > 0;
    fill(
      head,
      h(
        "div.title-row",
        h(
          "h1",
          { tabindex: "-1" },
          `Episode ${row.id} `,
          rewardMark(row.reward),
        ),
        h(
          "nav.around",
          { "aria-label": "Other episodes" },
          around("←", "Previous", previous),
          h(
            "span.muted",
            position === null
              ? "not in the list"
              : `${count(position + 1)} of ${count(matched)}${
                hasFilter ? ", as filtered" : ""
              }`,
          ),
          around("→", "Next", next),
        ),
      ),
      h(
        "dl.facts",
        [
          fact("Task", inline(row.task, 100)),
          fact(
            "Intent",
            row.intent === null ? null : inline(words(row.intent), 100),
          ),
          fact(row.source === "trial" ? "Trial" : "Step", count(row.step)),
          fact("Source", inline(row.source, 60)),
          fact(
            "Advantage",
            row.advantage === null ? null : signed(row.advantage),
          ),
          fact("Stopped by", words(row.stop)),
          fact(
            "Agent",
            row.agent === "" ? null : inline(`${row.agent}, ${row.model}`, 120),
          ),
          fact("User", row.user === "" ? null : inline(row.user, 80)),
          fact("Seed", row.source === "trial" ? null : String(row.seed)),
        ].flat(),
      ),
    );
  }

  /**
   * @param {string} arrow
   * @param {string} label
   * @param {number | null} to
   */
  function around(arrow, label, to) {
    return to === null
      ? h("span.step.off", { "aria-hidden": "true" }, arrow)
      : h("a.step", {
        href: episodeHref(run, to, filter),
        "aria-label": `${label} episode`,
        "aria-keyshortcuts": arrow === "←" ? "ArrowLeft" : "ArrowRight",
      }, arrow);
  }

  /** @param {OneEpisode} one */
  function drawSide(one) {
    fill(
      side,
      databaseSection(one.database),
      rewardSection(one),
      groupSection(one, {
        params: filter,
        onCompare: () => change("beside"),
        isCompared: params.has("beside"),
      }),
      taskSection(one),
      costSection(one),
    );
  }

  /** @param {OneEpisode} one */
  function drawTalk(one) {
    const room = h("div.talk-room", conversation(one));
    fill(
      talk,
      h(
        "div.section-head",
        h("h2", { id: "talk-title" }, "Conversation"),
        keyButton("Fold or unfold", "o", { class: "quiet", onclick: fold }),
        one.hasTokens
          ? keyButton("Tokens", "t", {
            class: "quiet",
            id: "tokens-button",
            onclick: () => change("show-tokens"),
            "aria-pressed": String(params.has("show-tokens")),
          })
          : null,
      ),
      room,
    );
  }

  function fold() {
    toggleFolds(talk);
  }

  async function showTokens() {
    if (episode === undefined || !episode.hasTokens) return;
    const room = talk.querySelector(".talk-room");
    if (room === null) return;
    try {
      const { value } = await api.tokens(run, id, signal);
      fill(room, tokensBlock(value));
    } catch (error) {
      if (!signal.aborted) fill(room, notice(error), conversation(episode));
    }
  }

  /** @param {OneEpisode} one */
  async function compare(one) {
    besides.hidden = false;
    const others = one.siblings.map(({ row }) => row.id).filter((other) =>
      other !== id
    ).slice(0, 7);
    try {
      const siblings = await Promise.all(others.map(async (other) => {
        try {
          return (await api.episode(run, other, filter, signal)).value.episode;
        } catch (error) {
          // An exported file may not contain the whole group.
          if (/** @type {{ kind?: string }} */ (error).kind === "unknown") {
            return null;
          }
          throw error;
        }
      }));
      const found = siblings.filter((sibling) => sibling !== null);
      const missing = others.length - found.length;
      fill(
        besides,
        h("h2", "Side by side"),
        missing > 0
          ? h("p.note", `Siblings that are not in this file: ${missing}.`)
          : null,
        sideBySide([one, ...found]),
      );
    } catch (error) {
      if (!signal.aborted) fill(besides, notice(error));
    }
  }

  /**
   * Shows or hides a part of the page, and records it in the URL.
   * @param {"beside" | "show-tokens"} what
   */
  function change(what) {
    const next = withParam(params, what, params.has(what) ? "" : "1");
    history.pushState(null, "", episodeHref(run, id, next));
    take(next);
  }

  /** @param {URLSearchParams} next */
  function take(next) {
    const before = params;
    params = next;
    if (episode === undefined) return;
    if (before.has("beside") !== next.has("beside")) {
      drawSide(episode);
      if (next.has("beside")) void compare(episode);
      else besides.hidden = true;
    }
    if (before.has("show-tokens") !== next.has("show-tokens")) {
      drawTalk(episode);
      if (next.has("show-tokens")) void showTokens();
      document.getElementById("tokens-button")?.focus();
    }
    if (before.get("turn") !== next.get("turn")) goToTurn();
  }

  function goToTurn() {
    const turn = Number(params.get("turn"));
    if (!(turn >= 1)) return;
    document.getElementById(`turn-${turn - 1}`)?.scrollIntoView({
      block: "start",
    });
    messageAt(turn - 1)?.focus({ preventScroll: true });
  }

  /**
   * @param {number} turn
   * @returns {HTMLElement | null}
   */
  function messageAt(turn) {
    return talk.querySelector(`.message.assistant[data-turn="${turn}"]`);
  }

  /** @param {number} by */
  function step(by) {
    const messages =
      /** @type {HTMLElement[]} */ ([...talk.querySelectorAll(".message")]);
    const at = messages.indexOf(
      /** @type {HTMLElement} */ (document.activeElement?.closest(".message")),
    );
    const next = messages[Math.max(0, Math.min(messages.length - 1, at + by))];
    next?.focus({ preventScroll: true });
    next?.scrollIntoView({ block: "nearest" });
  }

  /** @param {number | null | undefined} to */
  function open(to) {
    if (to !== null && to !== undefined) {
      location.hash = episodeHref(run, to, filter);
    }
  }

  return {
    element,
    title: `Episode ${id} of ${run}`,
    crumbs: [
      { text: "Runs", href: "#/" },
      { text: run, href: tableHref(run, filter) },
      { text: `Episode ${id}`, href: null },
    ],
    refresh,
    keys: {
      j: () => step(1),
      k: () => step(-1),
      ArrowLeft: () => open(place?.previous),
      ArrowRight: () => open(place?.next),
      Enter: () => {
        const details = document.activeElement?.querySelector?.("details");
        if (details) details.open = !details.open;
      },
      o: fold,
      t: () => {
        if (episode?.hasTokens) change("show-tokens");
      },
      s: () => {
        if ((episode?.siblings.length ?? 0) > 1) change("beside");
      },
      Escape: () => {
        location.hash = tableHref(run, filter);
      },
    },
    accept: (next) => {
      const isSame = next.name === "episode" && next.run === run &&
        next.id === id &&
        filterOnly(next.params).toString() === filter.toString();
      if (isSame) take(next.params);
      return isSame;
    },
    close: () => controller.abort(),
  };

  /** @param {OneEpisode} one */
  function reasonsOf(one) {
    if (one.findings.length === 0) {
      const text = one.row.reward === 1
        ? "Solved: everything that the reward checks is right."
        : "The record contains no reason.";
      return [
        h(
          "p",
          { class: one.row.reward === 1 ? "verdict good" : "verdict" },
          text,
        ),
      ];
    }
    return [h("ul.findings", one.findings.map(finding))];
  }

  /** @param {OneFinding} one */
  function finding({ kind, title, detail, turn, blame }) {
    const isKnown = ["failure", "reward", "user"].includes(kind);
    return h(
      "li",
      { class: `finding ${isKnown ? kind : "diagnosis"}` },
      h("strong", inline(title, 300)),
      blame === null ? null : h("span.tag", inline(blame, 30)),
      turn === null ? null : h(
        "a",
        {
          href: episodeHref(
            run,
            id,
            withParam(params, "turn", String(turn + 1)),
          ),
        },
        `turn ${turn + 1}`,
      ),
      detail === "" ? null : h("div.detail", textBlock(detail)),
    );
  }
}

/**
 * @param {string} name
 * @param {Node | string | null} value
 */
function fact(name, value) {
  return value === null ? [] : [h("div", h("dt", name), h("dd", value))];
}

/** @param {OneEpisode} episode */
function rewardSection({ reward, row }) {
  if (reward === null) return null;
  const part = (
    /** @type {string} */ name,
    /** @type {number | null} */ value,
  ) =>
    fact(
      name,
      value === null
        ? h("span.muted", name === "Outputs" ? "none required" : "not recorded")
        : rewardMark(value),
    );
  return panel(
    "reward",
    "Reward",
    h(
      "dl.facts",
      fact("Sum", rewardMark(reward.value)),
      part("Database", reward.database),
      part("Outputs", reward.outputs),
      fact(
        "Unparsable answers",
        row.parse_errors === 0 ? null : count(row.parse_errors),
      ),
    ),
    reward.missingOutputs.length === 0
      ? null
      : h("p", "Missing outputs: ", codes(reward.missingOutputs)),
    checkList(reward.checks),
  );
}

/** @param {OneEpisode} episode */
function taskSection({ task }) {
  if (task === null) return null;
  return panel(
    "task",
    "Task",
    h("h3", "The user's instruction"),
    task.instruction === ""
      ? h("p.muted", "No text.")
      : textBlock(task.instruction),
    h("h3", "Gold actions"),
    task.actions.length === 0
      ? h("p.muted", "None: the database must not change.")
      : h("ol.gold", task.actions.map((action) => h("li", call(action)))),
    task.outputs.length === 0 ? null : [
      h("h3", "Required outputs"),
      h("p", codes(task.outputs)),
    ],
  );
}

/** @param {readonly string[]} texts */
function codes(texts) {
  return texts.flatMap((
    text,
    i,
  ) => [i > 0 ? ", " : "", h("code", inline(text, 200))]);
}

/** @param {OneEpisode} episode */
function costSection({ usage, row, retries }) {
  if (row.seconds === 0 && usage === null) return null;
  const isCounted = usage !== null &&
    (usage.agent.calls > 0 || usage.user.calls > 0);
  return panel(
    "cost",
    "Time and usage",
    h(
      "dl.facts",
      fact("Took", duration(row.seconds)),
      fact("Turns", count(row.turns)),
      fact("Tokens", row.tokens === 0 ? null : count(row.tokens)),
      fact("Restarted", retries === 0 ? null : `${retries} times`),
    ),
    isCounted && usage !== null ? usageTable(usage) : null,
  );
}

/** @param {NonNullable<OneEpisode["usage"]>} usage */
function usageTable({ agent, user }) {
  const cells = (
    /** @type {OneUsage} */ one,
  ) => [
    count(one.calls),
    count(one.promptTokens),
    count(one.cachedTokens),
    count(one.completionTokens),
    one.cost === null ? "–" : `$${one.cost.toFixed(4)}`,
  ];
  const rows = [["Agent", agent], ["User", user]].map(([name, one]) =>
    h(
      "tr",
      h("th", { scope: "row" }, /** @type {string} */ (name)),
      cells(/** @type {OneUsage} */ (one)).map((cell) => h("td.num", cell)),
    )
  );
  const heads = ["Calls", "Prompt", "Cached", "Answer", "Cost"]
    .map((name) => h("th.num", { scope: "col" }, name));
  return scrollTable("table", "Usage", { heads: ["", ...heads], rows });
}
