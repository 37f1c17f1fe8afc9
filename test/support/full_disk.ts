/** Runs tasks with a disk of a few hundred KiB, which is an in-memory file system in a separate mount namespace. */

import { runTask, type TaskOutput } from "./task_process.ts";
import project from "../../deno.json" with { type: "json" };
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Flags of `unshare` that create a mount namespace, as root or as an unprivileged user. */
const WAYS = [["-m"], ["-rm"]] as const;

const MOUNT = 'mount -t tmpfs -o size="$1" none "$2" && shift 2 && exec "$@"';

async function unshared(
  way: readonly string[],
  args: readonly string[],
): Promise<TaskOutput | undefined> {
  try {
    const { code, stdout, stderr } = await new Deno.Command("unshare", {
      args: [...way, "sh", "-c", MOUNT, "sh", ...args],
      cwd: ROOT,
      env: { NO_COLOR: "1", TAU_BENCH_DIR: "" },
      stdout: "piped",
      stderr: "piped",
    }).output();
    const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
    return { code, stdout: decode(stdout), stderr: decode(stderr) };
  } catch {
    return undefined; // unshare is not installed
  }
}

async function wayToUnshare(): Promise<readonly string[] | undefined> {
  const dir = await Deno.makeTempDir();
  try {
    for (const way of WAYS) {
      const out = await unshared(way, ["1m", dir, "true"]);
      if (out?.code === 0) return way;
    }
    return undefined;
  } finally {
    await Deno.remove(dir);
  }
}

const WAY = Deno.build.os === "linux" ? await wayToUnshare() : undefined;

/** Whether a small disk cannot be mounted on this machine. If so, tests that need one are skipped. */
export const NO_SMALL_DISK = WAY === undefined;

/**
 * Runs a task with a disk of `size` mounted at `dir`. `size` has the format of `mount`'s option, such as `300k`. The
 * contents of the disk are lost afterwards. If {@linkcode NO_SMALL_DISK} is true, runs the task without such a disk.
 */
export async function runOnSmallDisk(
  name: keyof typeof project.tasks,
  args: readonly string[],
  { dir, size }: { readonly dir: string; readonly size: string },
): Promise<TaskOutput> {
  if (WAY === undefined) return await runTask(name, args);
  const words = project.tasks[name].command.split(" ").slice(1);
  const task = [Deno.execPath(), ...words, ...args];
  return (await unshared(WAY, [size, dir, ...task]))!;
}
