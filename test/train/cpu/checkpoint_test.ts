import assert from "node:assert/strict";
import { messageOf, PolicyError } from "../../../env/errors.ts";
import { createCpuPolicy, loadCpuPolicy } from "../../../train/cpu/policy.ts";
import { randomBatch, TOY } from "./_toy.ts";

const STEP = { learningRate: 3e-3, maxGradNorm: 1 };
const LOSS = { clipLow: 0.2, clipHigh: 0.2, klCoef: 0.1, entropyCoef: 0 };

async function inTempDir(work: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await work(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

function toy(seed = 1) {
  return createCpuPolicy({ config: TOY, seed, threads: 2 });
}

Deno.test("save() and load() continue to the same bits as an uninterrupted run", async () => {
  await inTempDir(async (dir) => {
    await using whole = await toy();
    const trainer = whole.trainer();
    for (let i = 0; i < 3; i++) {
      await trainer.supervised(randomBatch(i, [60, 40]), STEP);
      if (i === 1) trainer.setReference();
    }
    await trainer.save(`${dir}/3`);
    await using resumed = await toy(99);
    await resumed.trainer().load(`${dir}/3`);
    assert.deepEqual(resumed.weights(), whole.weights());
    for (let i = 3; i < 6; i++) {
      const batch = randomBatch(i, [60, 40]);
      const expected = await trainer.reinforce(batch, { ...STEP, ...LOSS });
      assert.deepEqual(
        await resumed.trainer().reinforce(batch, { ...STEP, ...LOSS }),
        expected,
      );
    }
    assert.deepEqual(resumed.weights(), whole.weights());
  });
});

Deno.test("load() drops the reference if the checkpoint has none", async () => {
  await inTempDir(async (dir) => {
    await using policy = await toy();
    const trainer = policy.trainer();
    await trainer.save(`${dir}/0`);
    trainer.setReference();
    await trainer.load(`${dir}/0`);
    await assert.rejects(
      trainer.reinforce(randomBatch(1, [30]), { ...STEP, ...LOSS }),
      /setReference/,
    );
  });
});

Deno.test("save() replaces a checkpoint completely and leaves no other files", async () => {
  await inTempDir(async (dir) => {
    await using policy = await toy();
    const trainer = policy.trainer();
    await trainer.save(`${dir}/last`);
    await trainer.supervised(randomBatch(1, [30]), STEP);
    await trainer.save(`${dir}/last`);
    const names = Array.from(Deno.readDirSync(dir), (e) => e.name);
    assert.deepEqual(names, ["last"]);
    await using read = await loadCpuPolicy(`${dir}/last`);
    assert.deepEqual(read.weights(), policy.weights());
    assert.deepEqual(read.config, TOY);
  });
});

Deno.test("load() finds the old checkpoint after an interrupted replacement", async () => {
  await inTempDir(async (dir) => {
    await using policy = await toy();
    await policy.trainer().save(`${dir}/last`);
    await Deno.rename(`${dir}/last`, `${dir}/last.previous`);
    await Deno.mkdir(`${dir}/last.partial`);
    await using read = await loadCpuPolicy(`${dir}/last`);
    assert.deepEqual(read.weights(), policy.weights());
  });
});

Deno.test("load() names the file that is damaged or missing, and changes nothing", async () => {
  await inTempDir(async (dir) => {
    await using policy = await toy();
    const trainer = policy.trainer();
    const path = `${dir}/c`;
    const damages: [RegExp, () => Promise<void>][] = [
      [/weights\.f32" is damaged/, async () => {
        const file = await Deno.open(`${path}/weights.f32`, { write: true });
        await file.seek(1000, Deno.SeekMode.Start);
        await file.write(new Uint8Array([1]));
        file.close();
      }],
      [/first\.f32" is damaged/, () => Deno.truncate(`${path}/first.f32`, 8)],
      [/second\.f32"/, () => Deno.remove(`${path}/second.f32`)],
      [/policy\.json"/, () => Deno.truncate(`${path}/policy.json`, 40)],
      [/policy\.json"/, () => Deno.remove(`${path}/policy.json`)],
      [
        /update taulab/,
        () => edit(`${path}/policy.json`, '"format": 1', '"format": 2'),
      ],
      [
        /not a checkpoint manifest/,
        () => edit(`${path}/policy.json`, '"steps": 0', '"steps": "0"'),
      ],
    ];
    for (const [words, damage] of damages) {
      await trainer.save(path);
      await trainer.supervised(randomBatch(1, [30]), STEP);
      const weights = policy.weights();
      await damage();
      await assert.rejects(
        trainer.load(path),
        (e) => e instanceof PolicyError && words.test(messageOf(e)),
      );
      assert.deepEqual(policy.weights(), weights);
      trainer.resetOptimizer();
    }
  });
});

async function edit(path: string, from: string, to: string): Promise<void> {
  const text = await Deno.readTextFile(path);
  assert.ok(text.includes(from));
  await Deno.writeTextFile(path, text.replace(from, to));
}

Deno.test("load() of another shape names the field that differs", async () => {
  await inTempDir(async (dir) => {
    await using policy = await toy();
    await policy.trainer().save(`${dir}/c`);
    await using other = await createCpuPolicy({
      config: { ...TOY, hidden: 64 },
      seed: 1,
      threads: 1,
    });
    await assert.rejects(
      other.trainer().load(`${dir}/c`),
      /hidden is 48, expected 64/,
    );
  });
});

Deno.test("save() reports why it cannot write, and keeps the existing checkpoint", async () => {
  await inTempDir(async (dir) => {
    await using policy = await toy();
    await Deno.writeTextFile(`${dir}/file`, "");
    await assert.rejects(
      policy.trainer().save(`${dir}/file/c`),
      (e) => e instanceof PolicyError && /Cannot write/.test(e.message),
    );
  });
});
