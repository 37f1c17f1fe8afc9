/** Keys of a config that had other names before, so that old recipes, command lines and runs are still read. */

/** Whether a recipe has a section under both of its names. */
export function namesTwice(recipe: Record<string, unknown>): boolean {
  return "grpo" in recipe && "rl" in recipe;
}

/** What estimators were called before they had the names of their papers. */
const OLD_ADVANTAGES = new Map<unknown, string>([
  ["mean", "dr-grpo"],
  ["std", "grpo"],
]);

/** Renames, in place, sections, keys and values that had other names. */
export function renameOldKeys(config: Record<string, unknown>): void {
  renameGrpo(config);
  const { rl } = config;
  const advantage = isSection(rl) && OLD_ADVANTAGES.get(rl["advantage"]);
  if (advantage) config["rl"] = { ...rl, advantage };
}

/**
 * What version 0.1 called `grpo` and `divideByStd`. Its keys win over those of `rl`: where both are given, an override
 * was written in the old words.
 */
function renameGrpo(config: Record<string, unknown>): void {
  if (!("grpo" in config)) return;
  const { grpo } = config;
  delete config["grpo"];
  if (!isSection(grpo)) {
    config["rl"] = grpo;
    return;
  }
  const { divideByStd, ...rest } = grpo;
  const advantage = typeof divideByStd === "boolean"
    ? divideByStd ? "grpo" : "dr-grpo"
    : divideByStd;
  config["rl"] = {
    ...(isSection(config["rl"]) ? config["rl"] : {}),
    ...rest,
    ...(advantage === undefined ? {} : { advantage }),
  };
}

/** The path that a key had in version 0.1; its own where it is the same. */
export function oldPath(path: readonly string[]): readonly string[] {
  const [section, key, ...rest] = path;
  if (section !== "rl" || key === undefined) {
    return section === "rl" ? ["grpo"] : path;
  }
  return ["grpo", key === "advantage" ? "divideByStd" : key, ...rest];
}

function isSection(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
