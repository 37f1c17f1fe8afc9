import assert from "node:assert/strict";
import type { ConversationRules } from "../../../env/types.ts";
import { evaluationSchema } from "../../../train/evaluation/evaluation_config.ts";
import type { EvaluationReport } from "../../../train/evaluation/evaluation_report.ts";
import {
  incomparable,
  tau3Submission,
} from "../../../train/evaluation/tau3_submission.ts";

const MODEL = "gpt-4.1-2025-04-14";

const COMPARABLE = {
  data: { source: "tau3-bench", domain: "tau3.retail" },
  split: "base",
  trials: 4,
  model: { model: "mine" },
  user: { strategy: "llm", endpoint: { model: MODEL, temperature: 0 } },
  judge: { endpoint: { model: MODEL } },
  rollout: { maxTurns: 200 },
};

const RULES = { rules: {} as ConversationRules };

const DONE = { scored: 456, planned: 456, failures: {} };

function reasons(
  change: Record<string, unknown>,
  { report = DONE, dataset = RULES }: {
    report?: Pick<EvaluationReport, "scored" | "planned" | "failures">;
    dataset?: { rules?: ConversationRules };
  } = {},
): string[] {
  const config = evaluationSchema.parse({ ...COMPARABLE, ...change });
  return incomparable(config, { dataset, report });
}

Deno.test("incomparable() returns nothing for an evaluation by the leaderboard's rules", () => {
  assert.deepEqual(reasons({}), []);
});

Deno.test("incomparable() names each setting that makes scores incomparable", () => {
  const { user } = COMPARABLE;
  const cases: [string[], RegExp][] = [
    [reasons({ split: "test" }), /split is test, not base/],
    [reasons({ tasks: [1] }), /excludes tasks/],
    [reasons({ trials: 1 }), /number of trials is 1, not 4/],
    [
      reasons({ user: { strategy: "scripted" } }),
      /strategy is scripted, not llm/,
    ],
    [
      reasons({ user: { ...user, endpoint: { model: "other" } } }),
      /model is other, not gpt/,
    ],
    [
      reasons({
        user: { ...user, endpoint: { model: MODEL, temperature: 1 } },
      }),
      /temperature is 1/,
    ],
    [reasons({ rollout: { maxTurns: 30 } }), /after 30 turns/],
    [reasons({ judge: { endpoint: { model: "other" } } }), /judge is other/],
    [
      reasons({}, {
        report: {
          ...DONE,
          scored: 296,
          failures: { "environment not_judged": 160 },
        },
      }),
      /^160 of its episodes were not judged$/,
    ],
    [
      reasons({}, { report: { ...DONE, scored: 455 } }),
      /^1 of its episodes failed/,
    ],
    [reasons({}, { dataset: {} }), /another benchmark/],
  ];
  for (const [found, expected] of cases) {
    assert.equal(found.length, 1, `${expected}: ${found}`);
    assert.match(found[0] ?? "", expected);
  }
});

Deno.test("tau3Submission() has pass^k in percent, and the cost per episode", () => {
  const config = evaluationSchema.parse(COMPARABLE);
  const usage = (cost: number | null) =>
    ({ cost }) as EvaluationReport["usage"]["agent"];
  const text = tau3Submission({
    config,
    info: { startedAt: "2026-01-02T03:04:05Z" } as never,
  }, {
    passK: [{ value: 0.5 }, { value: 0.25 }],
    scored: 4,
    usage: { agent: usage(3), user: usage(1) },
  } as unknown as EvaluationReport);
  const { model_name, results, submission_date } = JSON.parse(text);
  assert.equal(model_name, "mine");
  assert.equal(submission_date, "2026-01-02");
  assert.deepEqual(results, { retail: { pass_1: 50, pass_2: 25, cost: 1 } });
});
