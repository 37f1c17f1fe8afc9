/** Old names of config keys, so that old recipes, command lines and runs can still be read. */

/** Checks whether a recipe has both the section `rl` and the section `grpo`, its old name. */
export function namesTwice(recipe: Record<string, unknown>): boolean {
  return "grpo" in recipe && "rl" in recipe;
}

/** The current names of advantage estimators, keyed by their names in version 0.1. */
const OLD_ADVANTAGES = new Map<unknown, string>([
  ["mean", "dr-grpo"],
  ["std", "grpo"],
]);

/** Renames old sections, keys and values in place. */
export function renameOldKeys(config: Record<string, unknown>): void {
  renameGrpo(config);
  const { rl } = config;
  const advantage = isSection(rl) && OLD_ADVANTAGES.get(rl["advantage"]);
  if (advantage) config["rl"] = { ...rl, advantage };
}

/**
 * Renames `grpo` and `divideByStd` of version 0.1. Their values take precedence over the section `rl`, because if both
 * are set, the old name comes from an override.
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

/** Returns the path that a key had in version 0.1, or the same path if it has not changed. */
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
