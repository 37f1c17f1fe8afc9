/** Flattens configs into the form that trackers list. */

/**
 * Returns the values of a config, keyed by path, such as `rl.steps`. Lists are JSON, and `null` is the string "null".
 */
export function settingsOf(
  config: object,
): ReadonlyMap<string, string | number | boolean> {
  const settings = new Map<string, string | number | boolean>();
  const walk = (value: unknown, path: readonly string[]) => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      for (const [key, inner] of Object.entries(value)) {
        walk(inner, [...path, key]);
      }
      return;
    }
    const key = path.join(".");
    const isPlain = typeof value === "number" || typeof value === "string" ||
      typeof value === "boolean";
    settings.set(key, isPlain ? value : JSON.stringify(value) ?? "null");
  };
  walk(config, []);
  return settings;
}
