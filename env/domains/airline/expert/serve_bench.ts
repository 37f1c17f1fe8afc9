/**
 * The expert for τ-bench's airline tasks. It asks the user exactly what to do. It answers a question directly; it reads
 * any other request back, and makes the call after the user says yes.
 */

import type { Desk, Script } from "../../../agents/desk.ts";
import { isErrorAnswer } from "../../../call_tool.ts";
import type { ExpertStart } from "../../../domain.ts";
import type { ToolAction } from "../../../types.ts";
import { call } from "../../shared/call.ts";
import { askUntil, close, MAX_ASKS } from "../../shared/expert/moves.ts";
import { answerWords, MORE } from "../../shared/expert/words.ts";
import { text } from "../../shared/read_row.ts";
import {
  airlineBenchGoal,
  type BenchRequest,
  benchWords,
} from "../user/bench_goal.ts";
import { answersTo } from "./answers.ts";
import { CANNOT } from "./expert_words.ts";

/** Serves all requests of a task whose user has been identified. */
export function* serveBench({ desk, task, database }: ExpertStart): Script {
  const { requests } = airlineBenchGoal(task, database).goal;
  for (const [i, request] of requests.entries()) {
    if (i > 0) desk.beginRequest();
    yield* serve(desk, request);
  }
}

function* serve(desk: Desk, request: BenchRequest): Script {
  const words = benchWords(request);
  yield* askUntil(desk, {
    question: () => "what exactly do you want me to do?",
    until: () => isStated(desk, request),
  });
  if (!isStated(desk, request)) return yield* close(desk, `${CANNOT} ${MORE}`);
  if (request.call !== undefined) {
    return yield* write(desk, { action: request.call, words });
  }
  const outputs = yield* answersTo(request.question ?? "", desk);
  const answer = outputs.length === 0
    ? `${CANNOT} ${MORE}`
    : answerWords({ request, outputs });
  yield* close(desk, answer);
}

const VERBS = [/\bcancel/, /\bbook\b/, /\bchang/, /\b(up|down)grad/, /\badd\b/];

/**
 * Checks whether the user has stated a request. For a request other than a question, the user's message must not
 * mention any other action.
 */
function isStated(desk: Desk, request: BenchRequest): boolean {
  const words = benchWords(request);
  const message = desk.messageWith(words);
  return message !== undefined && (request.call === undefined ||
    VERBS.every((verb) => !verb.test(message) || verb.test(words)));
}

/** Looks up the reservation, reads the request back to the user, and makes the call after the user says yes. */
function* write(
  desk: Desk,
  { action, words }: { action: ToolAction; words: string },
): Script {
  const reservation_id = text(action.arguments, "reservation_id");
  if (
    reservation_id !== "" &&
    desk.row("reservation_id", reservation_id) === undefined
  ) {
    yield* desk.call(call("get_reservation_details", { reservation_id }));
  }
  for (let i = 0; i <= MAX_ASKS; i++) {
    const reply = yield* desk.say(`i will ${words}, yes or no?`);
    if (!/\byes\b/.test(reply)) continue;
    const shown = yield* desk.call(action);
    return yield* close(
      desk,
      isErrorAnswer(shown)
        ? `sorry, that is not possible. ${MORE}`
        : `done, as you said. ${MORE}`,
    );
  }
  yield* close(desk, `then nothing is changed. ${MORE}`);
}
