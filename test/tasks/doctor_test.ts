import assert from "node:assert/strict";
import { join } from "node:path";
import {
  gpuRows,
  IDLE_GPUS,
  writeModel,
  writeProgram,
} from "../support/doctor.ts";
import { runTask, taskCommand } from "../support/task_process.ts";
import { inTempDir } from "../support/temp_dir.ts";

async function writeRecipe(
  dir: string,
  sections: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  const path = join(dir, "mine.yaml");
  const model = join(dir, "model");
  await Deno.writeTextFile(
    path,
    JSON.stringify({
      trainer: "slime",
      data: { source: "generated", generated: { trainTasks: 40 } },
      user: { strategy: "scripted" },
      model: { name: "Qwen3-0.6B", directory: model },
      ...sections,
    }),
  );
  return path;
}

async function writeGpus(bin: string, rows: string): Promise<void> {
  await writeProgram(
    bin,
    "nvidia-smi",
    `case "$1" in --query-gpu*) printf '%s' '${rows}' ;; esac`,
  );
}

function doctor(
  args: readonly string[],
  { bin = "/nowhere" }: { bin?: string } = {},
) {
  const PATH = `${bin}:${Deno.env.get("PATH")}`;
  return runTask("doctor", args, { env: { PATH } });
}

Deno.test("doctor prints findings by host, then fixes; it exits with 1 only for a fail", () =>
  inTempDir(async (dir) => {
    const recipe = await writeRecipe(dir);
    await writeModel(join(dir, "model"));
    const only = ["--only", "gpus,batch,context,rows", "--runs", dir];
    await writeGpus(dir, IDLE_GPUS);
    const well = await doctor(["--recipe", recipe, ...only], { bin: dir });
    assert.equal(well.code, 0, well.stdout + well.stderr);
    assert.match(well.stdout, /^this machine\n/);
    assert.match(well.stdout, /pass +gpus +2 × NVIDIA H100/);
    assert.match(well.stdout, /WARN context: .*\n +→ set parallel/);
    assert.match(
      well.stdout,
      /\n6 pass, 1 warn, 0 fail\nnext: deno task train --recipe .*\n$/,
    );
    assert.equal(well.stderr, "");
    await writeGpus(dir, gpuRows(1));
    const ill = await doctor(["--recipe", recipe, ...only], { bin: dir });
    assert.equal(ill.code, 1, ill.stdout);
    const fixes = ill.stdout.slice(ill.stdout.indexOf("To fix:"));
    assert.ok(fixes.indexOf("WARN context") < fixes.indexOf("FAIL gpus"));
    assert.match(
      fixes,
      /FAIL gpus on this machine: nvidia-smi lists only 1 of the 2 planned GPUs/,
    );
  }));

Deno.test("doctor --json prints one object and nothing else", () =>
  inTempDir(async (dir) => {
    const recipe = await writeRecipe(dir);
    const args = ["--recipe", recipe, "--only", "model-files,batch", "--json"];
    const { code, stdout, stderr } = await doctor(args);
    assert.equal(code, 1);
    assert.equal(stderr, "");
    const report = JSON.parse(stdout);
    assert.equal(report.healthy, false);
    assert.equal(report.fail, 1);
    const fault = report.findings.find(({ state }: { state: string }) =>
      state === "fail"
    );
    assert.equal(fault.check, "model-files");
    assert.equal(fault.host, "this machine");
    assert.match(fault.fix, /hf download Qwen\/Qwen3-0\.6B/);
  }));

Deno.test("doctor rejects contradictory flags with exit status 2", () =>
  inTempDir(async (dir) => {
    const recipe = await writeRecipe(dir);
    const remote = await writeRecipe(join(dir), {
      cluster: { hosts: ["gpu1"] },
    });
    const cases: [args: string[], message: RegExp][] = [
      [
        ["--recipe", recipe, "--only", "gpu"],
        /did you mean "gpus"\? The checks are gpus, place, nvlink/,
      ],
      [["--recipe", recipe, "--skip", "rayy"], /did you mean "ray"\?/],
      [["--recipe", "qwen3-5b"], /There is no recipe/],
      [["--recipe", "default"], /"default\.yaml" is not a slime recipe/],
      [
        ["--recipe", remote, "--hosts", join(dir, "none.yaml")],
        /Cannot reach "\w+": there is no file ".*none.yaml"/,
      ],
    ];
    for (const [args, message] of cases) {
      const { code, stderr } = await doctor(args);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
    }
  }));

Deno.test("doctor --running checks only engines and episode servers", () =>
  inTempDir(async (dir) => {
    const recipe = await writeRecipe(dir, {
      engine: { routerPort: 1 },
      bridge: { services: ["http://127.0.0.1:1"] },
    });
    const { code, stdout } = await doctor([
      "--recipe",
      recipe,
      "--running",
      "--json",
    ]);
    assert.equal(code, 1);
    const { findings } = JSON.parse(stdout);
    assert.deepEqual(
      findings.map((
        { check, state }: Record<string, string>,
      ) => [check, state]),
      [
        ["hosts", "pass"],
        ["place", "pass"],
        ["services", "fail"],
        ["engines", "fail"],
      ],
    );
  }));

Deno.test("doctor reports an address for episode servers that this machine does not have", () =>
  inTempDir(async (dir) => {
    const recipe = await writeRecipe(dir, {
      bridge: { address: "203.0.113.7" },
    });
    const { stdout } = await doctor(["--recipe", recipe, "--only", "services"]);
    assert.match(
      stdout,
      /203\.0\.113\.7, which is not an address of this machine/,
    );
  }));

Deno.test("doctor exits with 130 at once when it is interrupted", () =>
  inTempDir(async (dir) => {
    const recipe = await writeRecipe(dir);
    const marker = join(dir, "asked");
    await writeProgram(dir, "nvidia-smi", `touch '${marker}'; sleep 60`);
    await using child = taskCommand(
      "doctor",
      ["--recipe", recipe, "--only", "gpus"],
      { env: { PATH: `${dir}:${Deno.env.get("PATH")}` } },
    ).spawn();
    const deadline = performance.now() + 30_000;
    while (!await Deno.stat(marker).then(() => true, () => false)) {
      assert.ok(performance.now() < deadline, "nvidia-smi was never asked");
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const began = performance.now();
    child.kill("SIGINT");
    const { code } = await child.status;
    assert.equal(code, 130);
    assert.ok(performance.now() - began < 15_000);
    await child.stdout.cancel();
    await child.stderr.cancel();
  }));
