import assert from "node:assert/strict";
import { join } from "node:path";
import { preflight } from "../../../../train/slime/doctor/doctor.ts";
import type { DoctorOptions } from "../../../../train/slime/doctor/doctor.ts";
import { localShell } from "../../../../train/slime/hosts/local_shell.ts";
import { sshShell } from "../../../../train/slime/hosts/ssh_shell.ts";
import {
  gpuRows,
  IDLE_GPUS,
  pathServer,
  shellWith,
  slimeOf,
  topology,
  writeModel,
  writeProgram,
} from "../../../support/doctor.ts";
import { testPython, withoutPython } from "../../../support/python.ts";
import { startTestRay } from "../../../support/test_ray.ts";
import { fakeHost, HAS_SSHD } from "../../../support/sshd.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const python = testPython() ?? "python3";

/** Writes a fake `nvidia-smi` that prints the given GPUs in the format of the real program. */
async function writeNvidiaSmi(bin: string, gpus: string): Promise<void> {
  await writeProgram(
    bin,
    "nvidia-smi",
    `case "$1" in
--query-gpu*) printf '%s' '${gpus}' ;;
--query-compute*) ;;
topo) printf '%s\\n' '${topology(2, "NV18")}' ;;
*) echo 'CUDA Version: 12.9' ;;
esac`,
  );
}

async function states(
  config: Parameters<typeof preflight>[0],
  options: DoctorOptions,
) {
  const { findings } = await preflight(config, {
    env: () => undefined,
    ...options,
  });
  return findings.map(({ host, check, state, found }) => ({
    key: `${check} ${host ?? ""}`.trim(),
    state,
    found,
  }));
}

Deno.test("preflight() checks this machine with the programs on its PATH", () =>
  inTempDir(async (dir) => {
    await writeNvidiaSmi(dir, IDLE_GPUS);
    const found = await states(slimeOf(["cluster.nvlink=yes"]), {
      hosts: [shellWith(dir)],
      only: ["gpus", "nvlink", "disk", "shared-memory", "memory", "ports"],
    });
    const of = (check: string) =>
      found.filter(({ key }) => key === `${check} this machine`);
    assert.equal(of("gpus")[0]?.state, "pass", of("gpus")[0]?.found);
    assert.equal(of("nvlink")[0]?.state, "pass");
    // The real values of this machine.
    assert.match(
      of("disk")[0]?.found ?? "",
      /has .* GB free, and .*checkpoints/,
    );
    assert.match(of("shared-memory")[0]?.found ?? "", /\/dev\/shm has .* GB/);
    assert.match(of("memory").map(({ found }) => found).join(), /memory|GPU/);
    assert.ok(of("ports").length > 0);
  }));

Deno.test("the check ports finds a port in use on this machine, and its process if possible", async () => {
  await using server = pathServer({});
  const { port } = new URL(server.url);
  const [, finding] = await states(
    slimeOf([`engine.routerPort=${port}`, "cluster.dashboardPort=1"]),
    { hosts: [localShell()], only: ["ports"] },
  );
  assert.equal(finding?.state, "fail", finding?.found);
  assert.match(
    finding!.found,
    new RegExp(`port ${port}, for the router, is in use by`),
  );
});

Deno.test({
  name:
    "preflight() checks hosts behind ssh with their own programs and files, and servers that only the head reaches (needs sshd and Python)",
  ignore: !HAS_SSHD || withoutPython(),
  fn: () =>
    inTempDir(async (dir) => {
      await using gpu1 = await fakeHost(dir, "gpu1");
      await using gpu2 = await fakeHost(dir, "gpu2");
      await writeNvidiaSmi(gpu1.bin, IDLE_GPUS);
      await writeNvidiaSmi(gpu2.bin, gpuRows(2, { used: 40_000 }));
      await using one = sshShell(gpu1.host);
      await using two = sshShell(gpu2.host);
      const model = join(dir, "model");
      await writeModel(model);
      const config = slimeOf([
        "cluster.nodes=2",
        'cluster.hosts=["gpu1","gpu2"]',
        "cluster.address=10.0.0.1",
        "cluster.dashboardPort=1",
        "cluster.start=false",
        "rollout.batchSize=32",
        "model.name=Qwen3-0.6B",
        `model.directory=${model}`,
        `paths.python=${python}`,
      ]);
      const found = await states(config, {
        hosts: [one, two],
        only: ["gpus", "nvlink", "model-files", "ray"],
      });
      const stateOf = Object.fromEntries(
        found.map(({ key, state }) => [key, state]),
      );
      assert.deepEqual(stateOf, {
        "hosts gpu1": "pass",
        "hosts gpu2": "pass",
        "gpus gpu1": "pass",
        "gpus gpu2": "fail",
        "nvlink gpu1": "pass",
        "nvlink gpu2": "pass",
        "ray": "fail",
        "model-files gpu1": "pass",
        "model-files gpu2": "pass",
      }, JSON.stringify(found, null, 1));
      const ray = found.find(({ key }) => key === "ray");
      assert.match(
        ray!.found,
        /Ray at http:\/\/127\.0\.0\.1:1 cannot be reached/,
      );
    }),
});

Deno.test({
  name:
    "the check model-files names the host with different files (needs sshd)",
  ignore: !HAS_SSHD,
  fn: () =>
    inTempDir(async (dir) => {
      await using gpu2 = await fakeHost(dir, "gpu2");
      await using two = sshShell(gpu2.host);
      const model = join(dir, "model");
      await writeModel(model);
      const config = slimeOf([
        "model.name=Qwen3-0.6B",
        `model.directory=${model}`,
      ]);
      // The other host has the same directory, except for one file that changes before it is read.
      const changed = {
        ...two,
        name: "gpu2",
        describe: two.describe,
        run: (command: Parameters<typeof two.run>[0], options = {}) =>
          two.run({
            ...command,
            script: command.script.replaceAll(model, `${model}2`),
          }, options),
      };
      await writeModel(`${model}2`);
      await Deno.writeTextFile(
        join(`${model}2`, "tokenizer_config.json"),
        "{}",
      );
      const found = await states(config, {
        hosts: [localShell(), changed],
        only: ["model-files"],
      });
      assert.deepEqual(
        found.slice(2).map((
          { key, state, found },
        ) => [key, state, found.replace(/^\d+ weight files.*/, "whole")]),
        [
          ["model-files this machine", "pass", "whole"],
          ["model-files gpu2", "pass", "whole"],
          [
            "model-files gpu2",
            "fail",
            "the model's directory differs from that on this machine in tokenizer_config.json",
          ],
        ],
      );
    }),
});

Deno.test({
  name: "the check ray reads the jobs and GPUs of a real Ray (needs Python)",
  ignore: withoutPython(),
  fn: async () => {
    await using ray = await startTestRay();
    const look = (sets: readonly string[] = []) =>
      states(
        slimeOf([
          `cluster.dashboardPort=${ray.plan.dashboardPort}`,
          `paths.python=${python}`,
          ...sets,
        ]),
        { hosts: [localShell()], only: ["ray"] },
      );
    const [, free] = await look();
    assert.equal(free?.state, "pass", free?.found);
    const many = await look(["cluster.gpusPerNode=4", "parallel.tensor=4"]);
    assert.match(
      many[1]!.found,
      /Ray has too few free GPUs: 2 of 2, but the run needs 4/,
    );
    await ray.jobs.submit({
      submissionId: "left-over",
      entrypoint: "sleep 60",
      envVars: {},
      metadata: {},
    });
    const [, held] = await look();
    assert.equal(held?.state, "fail");
    assert.match(
      held!.found,
      /the job "left-over" is (PENDING|RUNNING): sleep 60/,
    );
    await ray.jobs.stop("left-over");
  },
});
