import assert from "node:assert/strict";
import { join } from "node:path";
import { check } from "../../../../train/slime/doctor/checks/image.ts";
import { examine } from "../../../../train/slime/doctor/run_check.ts";
import { localShell } from "../../../../train/slime/hosts/local_shell.ts";
import { checkContext, slimeOf } from "../../../support/doctor.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

async function git(dir: string, ...args: string[]): Promise<string> {
  const identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
  const { code, stdout, stderr } = await new Deno.Command("git", {
    args: ["-C", dir, ...identity, ...args],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

/**
 * Commits a version of slime to a repository. The files of the commit name the version of the Docker image, and the
 * commit `megatron` of Megatron-LM.
 * @returns The hash of the commit, as git prints it.
 */
async function commit(dir: string, version: string, megatron: string) {
  await Deno.mkdir(join(dir, "docker"), { recursive: true });
  await Deno.writeTextFile(join(dir, "docker/version.txt"), `${version}\n`);
  await Deno.writeTextFile(
    join(dir, "docker/Dockerfile"),
    `FROM x\nARG MEGATRON_COMMIT=${megatron}\n`,
  );
  await git(dir, "add", "-A");
  await git(dir, "commit", "-qm", version);
  return await git(dir, "rev-parse", "HEAD");
}

Deno.test("the check image reads real checkouts: a fresh clone, and one that was moved later", () =>
  inTempDir(async (dir) => {
    const [origin, slime, megatron] = ["origin", "slime", "megatron"].map((
      name,
    ) => join(dir, name)) as [string, string, string];
    for (const path of [origin, megatron]) {
      await Deno.mkdir(path);
      await git(path, "init", "-q");
    }
    await git(megatron, "commit", "-q", "--allow-empty", "-m", "m");
    const pinned = await git(megatron, "rev-parse", "HEAD");
    const built = await commit(origin, "nightly-1", pinned);
    await git(dir, "clone", "-q", origin, slime);
    const look = () =>
      examine(
        check,
        checkContext(
          slimeOf([`paths.slime=${slime}`, `paths.megatron=${megatron}`]),
          { hosts: [localShell()] },
        ),
      );
    const [before] = await look();
    assert.equal(before?.state, "pass", before?.found);
    await commit(origin, "nightly-2", "f".repeat(40));
    await git(slime, "pull", "-q");
    const [image, other] = await look();
    assert.ok(image?.state === "warn" && other?.state === "warn");
    assert.match(image.found, /needs the image nightly-2, .* is nightly-1$/);
    assert.match(image.fix, new RegExp(`--slime-commit ${built}`));
    assert.match(other.found, /needs fffffffff$/);
  }));
