/**
 * Runs a task in `tasks/` with a probe of its permissions instead of its work. This module runs as the main module, as
 * in `probing_task.ts?train FLAGS --json`, with the permissions that deno.json gives to the task.
 */

import { main } from "../../tasks/_cli.ts";

const name = new URL(import.meta.url).search.slice(1);
const { task } = await import(`../../tasks/${name}.ts`);

/** Checks whether an action is permitted. */
async function may(action: () => unknown): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error) {
    // Other errors are expected: nothing listens at the address, and the directory may not exist.
    return !(error instanceof Deno.errors.NotCapable);
  }
}

async function probe() {
  const text = "written by a probe";
  return {
    network: await may(() => fetch("http://127.0.0.1:1234/")),
    listen: await may(() => Deno.listen({ port: 0 }).close()),
    shell: await may(() =>
      new Deno.Command("sh", { args: ["-c", ":"] }).output()
    ),
    git: await may(() =>
      new Deno.Command("git", { args: ["version"] }).output()
    ),
    key: await may(() => Deno.env.get("OPENAI_API_KEY")),
    token: await may(() => Deno.env.get("TAULAB_TOKEN")),
    home: await may(() => Deno.writeTextFile("not-told", text)),
    out: await may(() => Deno.writeTextFile("out/file", text)),
    file: await may(() => Deno.writeTextFile("file", text)),
    ffi: await may(() => Deno.dlopen("libc.so.6", {})),
  };
}

await main(import.meta, {
  ...task,
  run: async () => ({ json: await probe() }),
});
