/** Shows the checks behind a reward: whether each was met, not met or not judged, and why. */

import { h } from "./dom.js";
import { words } from "./format.js";
import { inline, textBlock } from "./text.js";

/** @typedef {import("../../../env/types.ts").RewardCheck} ShownCheck */

/** @type {Readonly<Record<string, string>>} */
const CHECK_PARTS = {
  DB: "Databases",
  ENV_ASSERTION: "Assertions about the world",
  ACTION: "Expected calls",
  COMMUNICATE: "Required outputs",
  NL_ASSERTION: "Assertions in prose",
};

/**
 * Lists the checks of each part of the reward. Parts that affect the reward come first.
 * @param {readonly ShownCheck[]} checks
 */
export function checkList(checks) {
  const parts = [...new Set(checks.map(({ part }) => part))]
    .map((part) => checks.filter((check) => check.part === part))
    .sort((a, b) => Number(b[0]?.counts) - Number(a[0]?.counts));
  return parts.flatMap((all) => {
    const [{ part, counts }] = /** @type {[ShownCheck]} */ (all);
    return [
      h(
        "h3",
        inline(CHECK_PARTS[part] ?? words(part.toLowerCase()), 60),
        counts ? null : h("span.muted", " (not counted)"),
      ),
      h("ul.checks", all.map(checkItem)),
    ];
  });
}

/** @param {ShownCheck} check */
function checkItem({ what, met, why }) {
  const [mark, verdict, kind] = met === null
    ? ["?", "not judged", "muted"]
    : met
    ? ["✓", "met", "good-text"]
    : ["✗", "not met", "bad-text"];
  return h(
    "li",
    { class: kind === "bad-text" ? "check unmet" : "check" },
    h("span", { class: kind }, `${mark} ${verdict}: `),
    inline(what, 400),
    why === undefined || why === "" ? null : h("div.detail", textBlock(why)),
  );
}
