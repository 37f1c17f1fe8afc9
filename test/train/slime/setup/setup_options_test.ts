import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError } from "../../../../env/errors.ts";
import {
  setupHosts,
  setupSettings,
  stepId,
} from "../../../../train/slime/setup/setup_options.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const names = (hosts: readonly ({ name: string } | undefined)[]) =>
  hosts.map((host) => host?.name);

Deno.test("setupHosts() takes this machine where no host is named, and reads no file then", async () => {
  const file = "nowhere.yaml";
  assert.deepEqual(await setupHosts(file, { gpu: [], serve: [] }), {
    hosts: [undefined],
    serving: [undefined],
  });
  assert.deepEqual(await setupHosts(file, { gpu: ["this"], serve: ["none"] }), {
    hosts: [undefined],
    serving: [],
  });
});

Deno.test("setupHosts() finds hosts by name, refuses one that is named twice, and lets none stand alone", () =>
  inTempDir(async (dir) => {
    const file = join(dir, "hosts.yaml");
    await Deno.writeTextFile(file, "gpu1:\ngpu2:\n");
    const found = await setupHosts(file, {
      gpu: ["gpu2", "gpu1"],
      serve: ["this", "gpu1"],
    });
    assert.deepEqual(names(found.hosts), ["gpu2", "gpu1"]);
    assert.deepEqual(names(found.serving), [undefined, "gpu1"]);
    for (
      const [gpu, serve, message] of [
        [["gpu1", "gpu1"], [], /"gpu1" is named twice/],
        [[], ["none", "gpu1"], /"none" stands alone/],
        [["gpu3"], [], /no host "gpu3"/],
      ] as [string[], string[], RegExp][]
    ) {
      await assert.rejects(setupHosts(file, { gpu, serve }), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.match(error.message, message);
        return true;
      });
    }
  }));

Deno.test("setupSettings takes whole commits and words that are no options", () => {
  assert.equal(setupSettings.parse({}).in, "container");
  for (
    const wrong of [
      { slimeCommit: "main" },
      { image: "--privileged" },
      { container: "a b" },
      { dir: "here" },
    ]
  ) assert.ok(!setupSettings.safeParse(wrong).success, JSON.stringify(wrong));
});

Deno.test("stepId() names the nearest step", () => {
  assert.equal(stepId("model"), "model");
  assert.throws(() => stepId("modell"), /no step "modell"; .*"model"/);
});
