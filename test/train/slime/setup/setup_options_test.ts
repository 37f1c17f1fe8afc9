import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError } from "../../../../env/errors.ts";
import type { Host } from "../../../../train/slime/hosts/hosts_file.ts";
import {
  setupHosts,
  setupPlace,
  setupSettings,
  stepId,
} from "../../../../train/slime/setup/setup_options.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const names = (hosts: readonly ({ name: string } | undefined)[]) =>
  hosts.map((host) => host?.name);

Deno.test("setupHosts() returns this machine if no host is named, without reading the file", async () => {
  const file = "nowhere.yaml";
  assert.deepEqual(await setupHosts(file, { gpu: [], serve: [] }), {
    here: undefined,
    hosts: [undefined],
    serving: [undefined],
  });
  assert.deepEqual(await setupHosts(file, { gpu: ["this"], serve: ["none"] }), {
    here: undefined,
    hosts: [undefined],
    serving: [],
  });
});

Deno.test('setupHosts() finds hosts by name, and rejects duplicates and "none" with other hosts', () =>
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
        [["gpu1", "gpu1"], [], /"gpu1" is listed twice/],
        [[], ["none", "gpu1"], /"none" cannot be combined/],
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

Deno.test("setupSettings accepts only full commits, and no values that look like options", () => {
  for (
    const wrong of [
      { slimeCommit: "main" },
      { image: "--privileged" },
      { container: "a b" },
    ]
  ) assert.ok(!setupSettings.safeParse(wrong).success, JSON.stringify(wrong));
});

Deno.test("stepId() names the nearest step", () => {
  assert.equal(stepId("model"), "model");
  assert.throws(() => stepId("modell"), /unknown step "modell"; .*"model"/);
});

Deno.test("setupPlace() uses hosts.yaml, then flags, then the place where setup itself runs", () => {
  const place = (
    { host, here, inContainer = false, ...flags }: {
      host?: Host;
      here?: Host;
      inContainer?: boolean;
    } & Record<string, unknown>,
  ) => {
    const settings = setupSettings.parse(flags);
    return setupPlace(host, { ...settings, here, inContainer });
  };
  const entry = (more: Partial<Host>): Host => ({
    name: "gpu1",
    ssh: { options: {} },
    ...more,
  });
  const container = (name: string, engine = "docker") => ({
    kind: "container",
    engine,
    name,
  });
  const bare = { kind: "host" };
  const venv = { kind: "venv", dir: "/v" };
  const said = entry({ container: "own", engine: "podman" });
  const cases: [Parameters<typeof place>[0], unknown][] = [
    [{}, container("taulab-slime")],
    [{ container: "c", engine: "podman" }, container("c", "podman")],
    [{ in: "bare" }, bare],
    [{ venv: "/v" }, venv],
    [{ inContainer: true }, bare],
    [{ inContainer: true, in: "container" }, container("taulab-slime")],
    [{ inContainer: true, host: entry({}) }, container("taulab-slime")],
    [{ host: said }, container("own", "podman")],
    [{ host: said, in: "container" }, container("own", "podman")],
    [{ here: said }, container("own", "podman")],
    [{ host: entry({ venv: "/v" }), in: "bare" }, venv],
    [{ host: entry({ venv: "/v" }), venv: "/v" }, venv],
  ];
  for (const [given, expected] of cases) {
    assert.deepEqual(place(given), expected, JSON.stringify(given));
  }
  for (
    const given of [
      { host: said, in: "bare" },
      { host: said, container: "other" },
      { host: said, engine: "docker" },
      { here: entry({ venv: "/v" }), in: "container" },
      { host: entry({ venv: "/v" }), venv: "/w" },
    ]
  ) {
    assert.throws(
      () => place(given),
      /hosts\.yaml sets .*, but the flags set/,
      JSON.stringify(given),
    );
  }
  assert.throws(
    () => place({ in: "bare", container: "c" }),
    /cannot be used together/,
  );
});
