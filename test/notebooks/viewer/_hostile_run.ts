/**
 * Writes a run with hostile texts: markup, scripts, a megabyte of text, and characters that hide or reorder other
 * characters.
 */

import { join } from "node:path";
import type { Episode } from "../../../env/types.ts";
import { EpisodeStore } from "../../../train/runs/episode_store.ts";
import { writeBigRun } from "../../support/big_run.ts";
import { fakeEpisode } from "../../support/lab.ts";

/** A hostile text that must always be shown verbatim. */
export const HOSTILE =
  `<script>document.title="owned"</script><img src=x onerror="document.title='owned'"> </title></textarea>&lt; {{7*7}} javascript:alert(1)`;

/** A right-to-left text that is shown within left-to-right text. */
export const ARABIC = "طلب الإرجاع رقم 12";

const MEGABYTE = `start of it ${
  "0123456789 <b>bold</b>\n".repeat(48_000)
}end of it`;

/**
 * Writes a run whose last two episodes contain hostile texts.
 * @returns The id of the first of these two episodes.
 */
export async function writeHostileRun(path: string): Promise<number> {
  const last = await writeBigRun(path);
  using store = new EpisodeStore(join(path, "episodes.db"));
  const place = { step: 99, source: HOSTILE, group: 0, advantage: 0 };
  store.add([hostile(), { ...hostile(), seed: 2 }].map((episode) => ({
    episode,
    place,
  })));
  return last + 1;
}

function hostile(): Episode {
  const base = fakeEpisode({ value: 0 });
  return {
    ...base,
    taskId: HOSTILE,
    intent: HOSTILE,
    agent: HOSTILE,
    reason: "extra_write",
    findings: [{ fault: "leak", message: 0, evidence: HOSTILE }],
    messages: [
      { role: "system", content: HOSTILE },
      { role: "user", content: HOSTILE },
      {
        role: "assistant",
        content:
          `${ARABIC} \u202egnp.exe\u202c \u0007\u001b[31m a\u200bb 👩‍💻 ❤️ 🏳️‍🌈 \ud800`,
        toolCalls: [{
          id: "1",
          name: HOSTILE,
          arguments: new Map([[HOSTILE, HOSTILE], ["long", MEGABYTE]]),
        }],
      },
      { role: "tool", name: HOSTILE, toolCallId: "1", content: MEGABYTE },
      { role: "assistant", content: MEGABYTE },
      { role: "user", content: `{"a": "${"x".repeat(400)}", "b": 1.0}` },
    ],
    turns: [{
      action: {
        type: "tool",
        call: { id: "1", name: HOSTILE, arguments: new Map() },
      },
      observation: { source: "tool", content: MEGABYTE, done: false },
    }],
    reward: {
      value: 0,
      parts: { database: 0, outputs: 0 },
      differences: [{
        table: HOSTILE,
        id: HOSTILE,
        fields: [{
          path: HOSTILE,
          expected: JSON.stringify(HOSTILE),
          actual: null,
        }],
      }],
      missingOutputs: [HOSTILE],
    },
  };
}
