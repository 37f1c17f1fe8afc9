/**
 * Reads slime's hooks, the Python files that a launch writes to the hosts. slime loads generate.py, which imports
 * keep_checkpoints.py, and with `algorithm.async: full` also async_rollout.py.
 */

/** The names of the hooks' files. */
export const HOOK_FILES = [
  "generate.py",
  "keep_checkpoints.py",
  "async_rollout.py",
] as const;

/** The contents of the hooks, keyed by file name. */
export type Hooks = Readonly<Record<string, string>>;

export async function readHooks(): Promise<Hooks> {
  return Object.fromEntries(
    await Promise.all(HOOK_FILES.map(async (name) => {
      const url = new URL(`./${name}`, import.meta.url);
      return [name, await Deno.readTextFile(url)] as const;
    })),
  );
}
