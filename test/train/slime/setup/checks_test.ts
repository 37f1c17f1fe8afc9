import { pathWord } from "../../../../train/slime/hosts/shell.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { localShell } from "../../../../train/slime/hosts/local_shell.ts";
import {
  modelBytes,
  modelStep,
} from "../../../../train/slime/setup/model_step.ts";
import {
  packagesStep,
  type PythonOptions,
  requirementsStep,
  slimePackageStep,
} from "../../../../train/slime/setup/python_steps.ts";
import { checkStep } from "../../../../train/slime/setup/run_step.ts";
import { readProbe, type Step } from "../../../../train/slime/setup/step.ts";
import { MODEL_SHAPES } from "../../../../train/slime/model_shapes.ts";
import { testPython, withoutPython } from "../../../support/python.ts";
import { inTempDir } from "../../../support/temp_dir.ts";

const signal = new AbortController().signal;

function probe(step: Step) {
  return checkStep(step, localShell(), { signal });
}

/**
 * Returns a safetensors file with the given number of bytes of tensor data. Its header is padded with spaces, which the
 * format allows.
 */
function shard(bytes: number): Uint8Array {
  const header = new TextEncoder().encode(
    `{"__metadata__":{"format":"pt"},"a":{"dtype":"U8","shape":[${bytes}],"data_offsets":[0,${bytes}]},"b":{"dtype":"U8","shape":[0],"data_offsets": [${bytes}, ${bytes}]}}   `,
  );
  const file = new Uint8Array(8 + header.length + bytes);
  new DataView(file.buffer).setBigUint64(0, BigInt(header.length), true);
  file.set(header, 8);
  return file;
}

async function writeModel(
  dir: string,
  shards: Readonly<Record<string, Uint8Array>>,
): Promise<void> {
  for (const name of ["config", "tokenizer", "tokenizer_config"]) {
    await Deno.writeTextFile(join(dir, `${name}.json`), "{}");
  }
  for (const [name, bytes] of Object.entries(shards)) {
    await Deno.writeFile(join(dir, name), bytes);
  }
}

function model(directory: string): Step {
  return modelStep({
    repository: "Qwen/Qwen3-0.6B",
    revision: "main",
    directory,
    shape: MODEL_SHAPES["Qwen3-0.6B"],
    inside: false,
    bin: join(directory, "bin"),
    token: undefined,
  });
}

Deno.test("modelStep() is done when every shard of the index is as long as its header says", async () => {
  await inTempDir(async (root) => {
    const dir = join(root, "the model");
    await Deno.mkdir(join(dir, "bin"), { recursive: true });
    await Deno.writeTextFile(join(dir, "bin/hf"), "#!/bin/sh\n");
    await Deno.chmod(join(dir, "bin/hf"), 0o755);
    const names = [
      "m-00001-of-00002.safetensors",
      "m-00002-of-00002.safetensors",
    ];
    const [one, two] = names as [string, string];
    await Deno.writeTextFile(
      join(dir, "model.safetensors.index.json"),
      JSON.stringify({ weight_map: { a: one, b: two, c: two } }, undefined, 2),
    );
    await writeModel(dir, { [one]: shard(300), [two]: shard(5) });
    assert.deepEqual(await probe(model(dir)), {
      state: "done",
      detail: "2 of 2 shards",
    });
    for (const broken of [shard(5).slice(0, -1), shard(5).slice(0, 4)]) {
      await Deno.writeFile(join(dir, two), broken);
      assert.deepEqual(await probe(model(dir)), {
        state: "todo",
        detail: `missing ${two}`,
      });
    }
    await Deno.remove(join(dir, two));
    assert.match((await probe(model(dir))).detail, /missing m-00002/);
    await Deno.writeFile(join(dir, two), shard(5));
    await Deno.remove(join(dir, "tokenizer.json"));
    assert.match((await probe(model(dir))).detail, /^missing tokenizer\.json$/);
  });
});

Deno.test("modelStep() accepts models with a single file, and checks the free space before a download", async () => {
  await inTempDir(async (dir) => {
    await Deno.mkdir(join(dir, "bin"));
    await Deno.writeTextFile(join(dir, "bin/hf"), "#!/bin/sh\n");
    await Deno.chmod(join(dir, "bin/hf"), 0o755);
    assert.match((await probe(model(dir))).detail, /model\.safetensors/);
    await writeModel(dir, { "model.safetensors": shard(9) });
    assert.equal((await probe(model(dir))).state, "done");
    const huge = modelStep({
      repository: "a/b",
      revision: "main",
      directory: join(dir, "none/yet"),
      shape: { ...MODEL_SHAPES["Qwen3-8B"], layers: 1e7 },
      inside: false,
      bin: join(dir, "bin"),
      token: undefined,
    });
    const { state, detail } = await probe(huge);
    assert.equal(state, "refused");
    assert.match(
      detail,
      /the model needs \d{7,} GiB more, but \/\S* has only \d+ GiB free/,
    );
  });
});

Deno.test("modelBytes() is two bytes per parameter plus the small files", () => {
  const bytes = modelBytes(MODEL_SHAPES["Qwen3-4B-Instruct-2507"]);
  assert.equal(bytes, 2 * 4_022_468_096 + 32 * 2 ** 20);
});

Deno.test({
  name: "the checks of packages run in a real Python (needs Python with torch)",
  ignore: withoutPython(),
  fn: () =>
    inTempDir(async (dir) => {
      const options: PythonOptions = {
        python: testPython()!,
        slime: join(dir, "slime"),
        megatron: join(dir, "megatron"),
        bare: true,
      };
      assert.match(
        (await probe(requirementsStep(options))).detail,
        /not installed yet/,
      );
      await Deno.mkdir(
        join(dir, "slime/slime/backends/megatron_utils/hf_to_megatron"),
        {
          recursive: true,
        },
      );
      await Deno.mkdir(join(dir, "megatron/megatron/core"), {
        recursive: true,
      });
      const file = join(dir, "slime/requirements.txt");
      await Deno.writeTextFile(file, "httpx[http2]\nray[default] # why\n\n");
      assert.deepEqual(await probe(requirementsStep(options)), {
        state: "done",
        detail: "2 packages",
      });
      await Deno.writeTextFile(file, "httpx\nno-such-package>=1\n");
      assert.deepEqual(await probe(requirementsStep(options)), {
        state: "todo",
        detail: "missing no-such-package",
      });
      assert.deepEqual(await probe(slimePackageStep(options)), {
        state: "todo",
        detail: "absent",
      });
      const { state, detail } = await probe(packagesStep(options));
      assert.equal(state, "refused");
      assert.match(
        detail,
        /^not installed: slime, sglang; create an environment with slime's build_conda/,
      );
    }),
});

Deno.test("on a bare host, nothing is installed into the system's own Python", async () => {
  await inTempDir(async (dir) => {
    const python = join(dir, "python3");
    await Deno.writeTextFile(python, "#!/bin/sh\necho system\n");
    await Deno.chmod(python, 0o755);
    const step = slimePackageStep({
      python,
      slime: dir,
      megatron: dir,
      bare: true,
    });
    const { state, detail } = await probe(step);
    assert.equal(state, "refused");
    assert.match(
      detail,
      /system's own Python.*set a virtual environment with --venv/,
    );
  });
});

Deno.test("the system's own Python is accepted if it has Ray, SGLang and PyTorch, as in slime's image", () =>
  inTempDir(async (dir) => {
    const python = join(dir, "python3");
    const site = join(dir, "site");
    await Deno.writeTextFile(
      python,
      `#!/bin/sh\nPYTHONPATH=${site} exec python3 "$@"\n`,
      { mode: 0o755 },
    );
    const options = { python, slime: dir, megatron: dir, bare: true };
    for (const name of ["ray", "sglang"]) {
      await Deno.mkdir(join(site, name), { recursive: true });
    }
    const before = await probe(slimePackageStep(options));
    assert.equal(before.state, "refused", before.detail);
    await Deno.mkdir(join(site, "torch"));
    assert.deepEqual(await probe(slimePackageStep(options)), {
      state: "todo",
      detail: "absent",
    });
  }));

Deno.test("readProbe() parses only the last line", () => {
  assert.deepEqual(readProbe("noise\ndone 1 2\n"), {
    state: "done",
    detail: "1 2",
  });
  assert.deepEqual(readProbe("todo"), { state: "todo", detail: "" });
  assert.equal(readProbe("done\nwhatever"), undefined);
  assert.equal(readProbe(""), undefined);
});

Deno.test("pathWord() lets the host's shell expand the home directory", async () => {
  const script = ["~", "~/a b", "/x/$y"].map(pathWord).join(" ");
  const { stdout } = await localShell().run({
    script: `printf '%s\\n' ${script}`,
    env: { HOME: "/h" },
  });
  assert.equal(stdout, "/h\n/h/a b\n/x/$y\n");
});
