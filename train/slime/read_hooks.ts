/** slime's hooks, the Python that a launch writes to the hosts: generate.py, which slime calls, and what it imports. */

/** Their file names. */
export const HOOK_FILES = [
  "generate.py",
  "keep_checkpoints.py",
  "async_rollout.py",
] as const;

/** Texts of the hooks by their file names. */
export type Hooks = Readonly<Record<string, string>>;

/** Reads the hooks. */
export async function readHooks(): Promise<Hooks> {
  return Object.fromEntries(
    await Promise.all(HOOK_FILES.map(async (name) => {
      const url = new URL(`./${name}`, import.meta.url);
      return [name, await Deno.readTextFile(url)] as const;
    })),
  );
}
