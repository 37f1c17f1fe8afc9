import assert from "node:assert/strict";
import { join } from "node:path";
import { diagnose } from "../../../env/diagnosis/diagnose.ts";
import { DataError, RunDirError } from "../../../env/errors.ts";
import { diagnoseFailed } from "../../../train/diagnosis/diagnose_run.ts";
import { readVerdict, type Verdict } from "../../../train/diagnosis/judge.ts";
import {
  type Diagnosed,
  diagnosisReport,
} from "../../../train/diagnosis/diagnosis_report.ts";
import {
  openRunEpisodes,
  parseTurns,
} from "../../../train/runs/run_episodes.ts";
import { writeFailedRun } from "../../support/failed_run.ts";
import { inTempDir } from "../../support/temp_dir.ts";

async function diagnosed(path: string): Promise<Diagnosed[]> {
  using run = await openRunEpisodes(path);
  return diagnoseFailed(run, run.list());
}

Deno.test("openRunEpisodes() returns turns that replay unchanged", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "e");
    await writeFailedRun(path);
    using run = await openRunEpisodes(path);
    const whole = run.list().filter(({ record }) => record.reward === 1);
    assert.equal(whole.length, 2);
    for (const episode of whole) {
      const { dataset } = run;
      const about = { dataset, task: episode.task };
      const replayed = diagnose(
        { turns: episode.turns(), stopReason: episode.stopReason },
        about,
      );
      assert.equal(replayed.reward?.value, 1);
      assert.equal(replayed.fault, null);
    }
  }));

Deno.test("openRunEpisodes() rejects a run of another dataset", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "e");
    await writeFailedRun(path);
    const file = join(path, "config.yaml");
    const text = await Deno.readTextFile(file);
    await Deno.writeTextFile(
      file,
      text.replace("worldSeed: 1", "worldSeed: 2"),
    );
    await assert.rejects(openRunEpisodes(path), (error) => {
      assert.ok(error instanceof RunDirError);
      assert.match(
        error.message,
        /the run used a different dataset \(fingerprint/,
      );
      return true;
    });
    await Deno.writeTextFile(file, "data: { source: elsewhere }");
    await assert.rejects(openRunEpisodes(path), RunDirError);
    assert.throws(() => parseTurns('[{"action": 1}]'), DataError);
  }));

Deno.test("diagnosisReport() counts faults and errors, and does not attribute infrastructure failures to the agent", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "e");
    await writeFailedRun(path);
    const report = diagnosisReport(await diagnosed(path));
    assert.equal(report.failed, 4);
    assert.equal(report.faults.infrastructure, 1);
    assert.equal(report.faults.agent, 3);
    assert.equal(report.agreement, null);
  }));

Deno.test("diagnosisReport() computes Cohen's kappa between rules and judge", () =>
  inTempDir(async (dir) => {
    const path = join(dir, "e");
    await writeFailedRun(path);
    const all = await diagnosed(path);
    const one = all.find(({ diagnosis }) => diagnosis.fault?.by === "agent");
    assert.ok(one !== undefined && one.diagnosis.fault !== null);
    const { fault } = one.diagnosis;
    function pair(by: "agent" | "user", said: Verdict["fault"] | null) {
      const verdict = said && { fault: said, kind: "other", why: "" } as const;
      const diagnosis = { ...one!.diagnosis, fault: { ...fault!, by } };
      return { ...one!, diagnosis, verdict };
    }
    // Cohen's kappa for counts of 20, 5, 10 and 15: 0.7 observed agreement, 0.5 by chance.
    const pairs = [
      ...Array.from({ length: 20 }, () => pair("agent", "agent")),
      ...Array.from({ length: 5 }, () => pair("agent", "user")),
      ...Array.from({ length: 10 }, () => pair("user", "agent")),
      ...Array.from({ length: 15 }, () => pair("user", "user")),
      pair("user", null),
    ];
    const { agreement } = diagnosisReport(pairs);
    assert.equal(agreement?.both, 50);
    assert.equal(agreement.unreadable, 1);
    assert.ok(Math.abs(agreement.share - 0.7) < 1e-12);
    assert.ok(Math.abs((agreement.kappa ?? 0) - 0.4) < 1e-12);
    const [same] = [diagnosisReport([pair("agent", "agent")]).agreement];
    assert.equal(same?.kappa, null, "one party alone says nothing of chance");
  }));

Deno.test("readVerdict() finds the object in a model's answer", () => {
  const verdict = { fault: "user", kind: "other", why: "left {early}" };
  const text = JSON.stringify(verdict);
  assert.deepEqual(readVerdict(text), verdict);
  const plain = { ...verdict, why: "left" };
  assert.deepEqual(
    readVerdict(
      `<think>{hm}</think>\n\`\`\`json\n${JSON.stringify(plain)}\n\`\`\``,
    ),
    plain,
  );
  for (const bad of ["", "agent", "{}", '{"fault": "me"}', "} {"]) {
    assert.equal(readVerdict(bad), null);
  }
});
