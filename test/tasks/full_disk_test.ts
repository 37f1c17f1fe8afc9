import assert from "node:assert/strict";
import { join } from "node:path";
import { NO_SMALL_DISK, runOnSmallDisk } from "../support/full_disk.ts";
import { inTempDir } from "../support/temp_dir.ts";
import { checkoutFiles } from "../support/tau_checkout.ts";

/** Returns the error's pattern. Only a run has data that was saved before. */
function diskFull({ isRun }: { isRun: boolean }): RegExp {
  const intact = isRun ? "; data saved before is intact" : "";
  return RegExp(
    `^error: .*disk.* is full${intact}\\nhint: free some space, then .+$`,
    "m",
  );
}

Deno.test({
  name:
    "evaluate, train, mock and import report a full disk as such, not as a bug (needs unshare)",
  ignore: NO_SMALL_DISK,
  fn: () =>
    inTempDir(async (dir) => {
      const disk = join(dir, "disk");
      const checkout = join(dir, "checkout");
      await Deno.mkdir(disk);
      for (const [path, text] of checkoutFiles()) {
        await Deno.mkdir(join(checkout, path, ".."), { recursive: true });
        await Deno.writeTextFile(
          join(checkout, path),
          path.endsWith("wiki.md") ? "word ".repeat(100_000) : text,
        );
      }
      const runs = ["--runs", join(disk, "runs")];
      const tasks: [Parameters<typeof runOnSmallDisk>[0], string[], string][] =
        [
          ["evaluate", ["--agent", "expert", "--trials", "4", ...runs], "200k"],
          ["train", ["--set", "coldStart.steps=1", ...runs], "100k"],
          ["mock", ["--count", "60", "--out", join(disk, "out")], "100k"],
          ["import", ["--from", checkout, "--out", join(disk, "out")], "200k"],
        ];
      for (const [name, args, size] of tasks) {
        const { code, stderr } = await runOnSmallDisk(name, args, {
          dir: disk,
          size,
        });
        assert.equal(code, 1, `${name}: ${stderr}`);
        assert.match(
          stderr,
          diskFull({ isRun: args.includes("--runs") }),
          name,
        );
        assert.doesNotMatch(stderr, /bug in taulab/, name);
      }
    }),
});
