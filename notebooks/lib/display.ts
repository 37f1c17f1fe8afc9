/**
 * How a notebook shows the things of taulab: a task, a conversation, an episode, a reward, what became of the
 * database, what came of an episode's diagnosis.
 */

import type { Database } from "../../env/database.ts";
import type { Diagnosis } from "../../env/diagnosis/diagnose.ts";
import { describeRow } from "../../env/reward.ts";
import { printPythonJson } from "../../env/python/python_json.ts";
import { count } from "../../train/progress/amounts.ts";
import type {
  AnsweredCall,
  Episode,
  Reward,
  RewardCheck,
  RowDifference,
  Task,
  ToolAction,
  Turn,
} from "../../env/types.ts";
import { type Html, html } from "./html.ts";
import { Rich, stack, titled } from "./rich.ts";
import { type Cell, table } from "./table.ts";

/** A task: what the user wants, the gold calls, what must be told. */
export function showTask(task: Task): Rich {
  const facts: [string, Cell][] = [
    ["task", task.id],
    ["intent", task.intent ?? null],
    ["user", task.userId],
    ["instruction", task.instruction],
    [
      "gold",
      new Rich({
        html: html`${
          task.actions.map((one) => html`<pre>${callText(one)}</pre>`)
        }`,
        text: task.actions.map(callText).join("; "),
      }),
    ],
    ["must be told", task.outputs.join(", ") || null],
  ];
  return factTable(facts);
}

/** A reward with its reasons. */
export function showReward(reward: Reward | null): Rich {
  if (reward === null) {
    return new Rich({
      html: html`<p>not scored: infrastructure failed</p>`,
      text: "not scored: infrastructure failed",
    });
  }
  const { value, parts, differences, missingOutputs } = reward;
  const facts: [string, Cell][] = [
    ["reward", mark(value === 1, String(value))],
    [
      "database",
      mark(parts.database === 1, parts.database === 1 ? "right" : "wrong"),
    ],
    ...(parts.outputs === null ? [] : [
      [
        "told",
        mark(
          parts.outputs === 1,
          parts.outputs === 1 ? "all" : `not ${missingOutputs.join(", ")}`,
        ),
      ] as [string, Cell],
    ]),
  ];
  return stack(
    factTable(facts),
    ...(reward.checks === undefined ? [] : [showChecks(reward.checks)]),
    ...(differences.length === 0 ? [] : [showDifferences(differences)]),
  );
}

/** What a reward is made of, those that count first. */
function showChecks(checks: readonly RewardCheck[]): Rich {
  return table(
    checks.toSorted((a, b) => Number(b.counts) - Number(a.counts)).map(
      ({ part, counts, what, met, why = null }) => ({
        part: counts ? part : `${part}, not counted`,
        check: what,
        verdict: met === null ? "not judged" : met ? "met" : "not met",
        why,
      }),
    ),
  );
}

/** Rows that are not as they should be. */
export function showDifferences(rows: readonly RowDifference[]): Rich {
  return table(
    rows.flatMap(({ table, id, fields }) =>
      fields.map(({ path, expected, actual }) => ({
        row: `${table} ${id}`,
        field: path,
        "should be": expected,
        is: actual,
      }))
    ),
  );
}

/** What is other in one state than in an earlier one of the same world. */
export function showChange(before: Database, after: Database): Rich {
  const records = before.diff(after).map(describeRow).flatMap(
    ({ table, id, fields }) =>
      fields.map(({ path, expected, actual }) => ({
        row: `${table} ${id}`,
        field: path,
        was: expected,
        is: actual,
      })),
  );
  if (records.length > 0) return table(records);
  return new Rich({
    html: html`<p class="dim">the database is as it was</p>`,
    text: "the database is as it was",
  });
}

/** A conversation: what the user opened with, then turn by turn. `marked` outlines one of them. */
export function showTurns(
  turns: readonly Turn[],
  { firstMessage, marked }: {
    readonly firstMessage?: string;
    readonly marked?: number;
  } = {},
): Rich {
  const opening = firstMessage === undefined
    ? []
    : [said("user", "user", firstMessage)];
  return stack(
    ...opening,
    ...turns.map((turn, i) =>
      showTurn(turn, { index: i, marked: i === marked })
    ),
  );
}

/** One turn: what the agent did, and what came of it. */
export function showTurn(
  { action, observation, openingCalls = [] }: Turn,
  { index, marked = false }: {
    readonly index: number;
    readonly marked?: boolean;
  },
): Rich {
  const did = action.type === "respond"
    ? said("agent", `${index} agent`, action.content, marked)
    : said("agent", `${index} agent calls`, callText(action.call), marked);
  const answer = observation.source === "user"
    ? said("user", "user", observation.content)
    : folded(observation.content);
  const { userCalls = [] } = observation;
  return stack(
    ...openingCalls.flatMap(showUserCall),
    did,
    ...userCalls.flatMap(showUserCall),
    answer,
  );
}

/** What the user did with tools of their own. */
function showUserCall({ call, content }: AnsweredCall): Rich[] {
  return [said("user", "user calls", callText(call)), folded(content)];
}

/** An answer of an agent that came to no action, and why. */
export function showUnread(
  content: string,
  { index, problem }: { readonly index: number; readonly problem: string },
): Rich {
  return stack(
    said("agent", `${index} agent`, content),
    new Rich({
      html: html`<p class="bad">✗ ${problem}</p>`,
      text: `✗ ${problem}`,
    }),
  );
}

/** An episode: how it ended, why, and the conversation; the turn that decided it is outlined. */
export function showEpisode(
  episode: Episode,
  { diagnosis }: { readonly diagnosis?: Diagnosis } = {},
): Rich {
  const first = episode.messages.find(({ role }) => role === "user");
  const decisive = diagnosis?.decisive ?? null;
  const head =
    `${episode.taskId}, ${episode.agent} agent, seed ${episode.seed}: ${episode.stopReason}${
      episode.reason === null ? "" : `, ${episode.reason}`
    }`;
  return stack(
    titled(head, showReward(episode.reward)),
    ...(diagnosis === undefined ? [] : [showDiagnosis(diagnosis)]),
    showTurns(episode.turns, {
      ...(first === undefined ? {} : { firstMessage: first.content }),
      ...(decisive?.kind === "write" ? { marked: decisive.turn } : {}),
    }),
  );
}

/** The first decisive error and who is at fault, in a sentence each. */
export function showDiagnosis({ decisive, fault }: Diagnosis): Rich {
  const facts: [string, Cell][] = [
    [
      "first decisive error",
      decisive === null ? "none" : decisiveWords(decisive),
    ],
    [
      "fault",
      fault === null
        ? "nobody's"
        : `${fault.by}: ${fault.rule}${
          fault.evidence === "" ? "" : ` (${fault.evidence})`
        }`,
    ],
  ];
  return factTable(facts);
}

/** `turn 4, return_delivered_order_items {…}`. */
export function decisiveWords(
  decisive: NonNullable<Diagnosis["decisive"]>,
): string {
  switch (decisive.kind) {
    case "write":
      return `turn ${decisive.turn}, ${callText(decisive.action)}`;
    case "ending":
      return decisive.missing.length === 0
        ? `the end: ${
          decisive.unmet?.map(({ what }) => `not so that ${what}`).join("; ") ??
            "rows were left wrong"
        }`
        : `the end: never called ${decisive.missing.map(callText).join("; ")}`;
    case "untold":
      return `the end: did not tell ${decisive.outputs.join(", ")}`;
    case "cut_off":
      return "all was right, and the conversation was cut off";
  }
}

/** `cancel_pending_order {"order_id": "#W1"}`. */
export function callText({ name, arguments: args }: ToolAction): string {
  return `${name} ${printPythonJson(args, { ensureAscii: false })}`;
}

/** Names with their values, one a line. */
function factTable(facts: readonly (readonly [string, Cell])[]): Rich {
  const shown = facts.filter(([, value]) => value !== null);
  return new Rich({
    html: html`
      <table>
        <tbody>${shown.map(([name, value]) =>
          html`
            <tr>
              <th>${name}</th>
              <td>${value instanceof Rich ? value.html : String(value)}</td>
            </tr>
          `
        )}</tbody>
      </table>
    `,
    text: shown.map(([name, value]) => `${name}: ${value}`).join("\n"),
  });
}

function mark(isRight: boolean, text: string): Rich {
  const markup: Html = isRight
    ? html`<span class="ok">✓ ${text}</span>`
    : html`<span class="bad">✗ ${text}</span>`;
  return new Rich({ html: markup, text });
}

function said(
  role: "agent" | "user" | "tool",
  who: string,
  content: string,
  marked = false,
): Rich {
  const style = marked ? `${role} marked` : role;
  return new Rich({
    html: html`
      <div class="said ${style}">
        <div class="who">${who}${marked ? " – decisive" : ""}</div>
        <div class="words">${content}</div>
      </div>
    `,
    text: `${who}: ${content}`,
  });
}

/** What a tool answers, folded where it is long. */
function folded(content: string): Rich {
  const rich = said("tool", "tool", content);
  if (content.length <= FOLD) return rich;
  const start = content.slice(0, FOLD);
  return new Rich({
    html: html`
      <div class="said tool">
        <div class="who">tool</div>
        <details>
          <summary>${start}… (${count(content.length)} letters)</summary>
          <pre>${content}</pre>
        </details>
      </div>
    `,
    text: rich.text,
  });
}

/** Letters of a tool's answer that are shown at once. */
const FOLD = 160;
