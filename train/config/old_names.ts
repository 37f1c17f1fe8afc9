/** Keys of a config that had other names before, so that old recipes, command lines and runs are still read. */

/** Whether a recipe has a section under both of its names. */
export function namesTwice(recipe: Record<string, unknown>): boolean {
  return "grpo" in recipe && "rl" in recipe;
}

/**
 * Renames, in place, what version 0.1 called `grpo` and `divideByStd`. Its keys win over those of `rl`: where both are
 * given, an override was written in the old words.
 */
export function renameOldKeys(config: Record<string, unknown>): void {
  if (!("grpo" in config)) return;
  const { grpo } = config;
  delete config["grpo"];
  if (!isSection(grpo)) {
    config["rl"] = grpo;
    return;
  }
  const { divideByStd, ...rest } = grpo;
  const advantage = typeof divideByStd === "boolean"
    ? divideByStd ? "std" : "mean"
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
