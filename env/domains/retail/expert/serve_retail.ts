/**
 * How the expert serves a store's user: finds them, finds the order, asks for what is missing, reads back, and
 * writes after a yes.
 */

import { call } from "../../shared/call.ts";
import type { ToolAction } from "../../../types.ts";
import type { Desk, Script } from "../../../agents/desk.ts";
import type { Shift } from "../../../domain.ts";
import { askUntil, close, MAX_ASKS } from "../../shared/expert/moves.ts";
import { answerWords, moreWords } from "../../shared/expert/words.ts";
import { rows, text, texts } from "../../shared/read_row.ts";
import type { Phraser } from "../../shared/user/wording.ts";
import type { RetailRequest, RetailTask } from "../goal/request.ts";
import { type Plan, planOf, type PlanStep } from "./expert_plan.ts";
import {
  askWords,
  confirmWords,
  declineWords,
  doneWords,
  type Missing,
  type NamedItem,
  ruleWords,
} from "./expert_words.ts";

/** What every part of the script works with. */
interface RetailShift {
  readonly desk: Desk;
  readonly plan: Plan;
  readonly say: Phraser;
}

/** A request that is being served. */
interface Case extends RetailShift {
  readonly step: PlanStep;
  readonly request: RetailRequest;
}

/** Serves all requests of a task. */
export function* serveRetail(
  { desk, task, database, say }: Shift & { readonly task: RetailTask },
): Script {
  const plan = planOf(task, database);
  const shift = { desk, plan, say };
  if (!(yield* authenticate(shift))) {
    yield* desk.say("sorry, i cannot help without knowing who you are.");
    return;
  }
  for (const [i, step] of plan.steps.entries()) {
    if (i > 0) desk.beginRequest();
    yield* serveRequest({ ...shift, step, request: step.request });
  }
  if (plan.transfer !== undefined) yield* desk.call(plan.transfer);
  yield* desk.say(moreWords(say));
}

/** Finds the user by what they say of themselves. @returns Whether they have said enough. */
function* authenticate({ desk, plan, say }: RetailShift): Script<boolean> {
  const { email, firstName, lastName, zip } = plan.identity;
  const names = [firstName, lastName, zip];
  const named = () => desk.everHeard(email) || desk.everHeard(...names);
  yield* askUntil(desk, {
    question: () => askWords("identity", { say }),
    until: named,
    times: MAX_ASKS + 1,
  });
  if (!named()) return false;
  yield* desk.call(
    desk.everHeard(email) ? call("find_user_id_by_email", { email }) : call(
      "find_user_id_by_name_zip",
      { first_name: firstName, last_name: lastName, zip },
    ),
  );
  return true;
}

function* serveRequest(one: Case): Script {
  const { request, step } = one;
  if (request.intent === "question") return yield* answer(one);
  if (request.profileOf !== undefined) {
    return yield* close(
      one.desk,
      `sorry, that profile belongs to another account, so i cannot change it. ${
        moreWords(one.say)
      }`,
    );
  }
  if (request.intent === "user_address") {
    return yield* write(one, { orderId: "" });
  }
  const orderId = yield* findOrder(one);
  if (request.refused === true) return yield* decline(one, orderId);
  if (step.write !== undefined) yield* write(one, { orderId });
}

/** Tells what was asked, after the reads that it takes. */
function* answer(one: Case): Script {
  const { desk, plan, request, step, say } = one;
  if (request.orderId !== undefined || request.orderWords !== undefined) {
    yield* findOrder(one);
  } else if (plan.reads.length === 0) {
    yield* readUser(one);
  }
  for (const read of plan.reads) {
    if (!desk.hasCalled(read) && isGrounded(read, desk)) yield* desk.call(read);
  }
  if (step.outputs.length > 0) {
    yield* close(
      one.desk,
      answerWords({ request, outputs: step.outputs }, say),
    );
  } else if (plan.transfer !== undefined) {
    yield* desk.call(plan.transfer);
  } else {
    yield* close(one.desk, `sorry, i cannot do that. ${moreWords(say)}`);
  }
}

function* decline(one: Case, orderId: string): Script {
  const { desk, request, say } = one;
  const rule = ruleWords(request);
  if (rule !== undefined) {
    yield* lookInto(one, orderId);
    return yield* close(one.desk, `sorry, ${rule}. ${moreWords(say)}`);
  }
  const order = desk.row("order_id", orderId);
  const isOwn = desk.userId === text(order, "user_id");
  const status = isOwn ? text(order, "status") : undefined;
  yield* close(one.desk, declineWords({ request, orderId, status }, say));
}

/** Asks for the details that a rule forbids, and looks up what shows it. */
function* lookInto(one: Case, orderId: string): Script {
  const { desk, request } = one;
  const { reason, items = [], newItems = [], payment } = request;
  const wanted: readonly [Missing, readonly string[]][] = [
    ["reason", reason === undefined ? [] : [reason]],
    ["items", items],
    ["newItems", newItems],
    ["payment", payment === undefined ? [] : [payment]],
  ];
  for (const [what, words] of wanted) {
    yield* askUnlessHeard(one, { what, words, item: items[0] });
  }
  if (newItems.length > 0 && request.otherProduct !== true) {
    const held = rows(desk.row("order_id", orderId), "items");
    for (const words of items) {
      const item = held.find((one) => text(one, "name") === words);
      yield* readProduct(one, { id: text(item, "product_id"), words });
    }
  }
  if (/^payment|refund/.test(request.refusedBy ?? "")) yield* readUser(one);
}

/** The order that the request is about, read. */
function* findOrder(one: Case): Script<string> {
  const { desk, request, step } = one;
  const id = text(step.write?.arguments, "order_id") || request.orderId || "";
  const marker = request.orderWords?.replace(/^the one with the /, "");
  const described = () =>
    (id !== "" && desk.heard(id)) ||
    (marker !== undefined && desk.heard(marker));
  yield* askUntil(desk, {
    question: () => askWords("order", { say: one.say }),
    until: described,
  });
  if (id !== "" && desk.heard(id)) {
    yield* readOrder(one, id);
    return id;
  }
  return yield* searchOrder(one, { id, marker });
}

/** Reads the user's orders one by one, up to the one that they described. */
function* searchOrder(
  one: Case,
  { id, marker }: { id: string; marker: string | undefined },
): Script<string> {
  yield* readUser(one);
  for (const orderId of texts(one.desk.user, "orders")) {
    yield* readOrder(one, orderId);
    const items = rows(one.desk.row("order_id", orderId), "items");
    const found = id === ""
      ? items.some((item) => text(item, "name") === marker)
      : orderId === id;
    if (found) return orderId;
  }
  return id;
}

/** Collects the details, reads them back, and makes the gold write after a yes. */
function* write(one: Case, { orderId }: { orderId: string }): Script {
  const { desk, request, step, say } = one;
  const action = step.write;
  if (action === undefined) return;
  if (request.before !== undefined) yield* readBackFirst(one, orderId);
  const { items, newItems } = yield* chooseItems(one, { orderId, action });
  if (request.reason !== undefined) {
    yield* askUnlessHeard(one, { what: "reason", words: [request.reason] });
  }
  if (request.address !== undefined) {
    const { address1, zip } = request.address;
    yield* askUnlessHeard(one, { what: "address", words: [address1, zip] });
  }
  const paymentId = yield* choosePayment(one, action);
  const readBack = {
    request,
    orderId,
    items,
    newItems,
    paymentId,
    reason: request.reason ?? "",
    address: request.address,
  };
  for (let asks = 0; asks <= MAX_ASKS; asks++) {
    const reply = yield* desk.say(confirmWords(readBack, say));
    if (/\byes\b/.test(reply)) {
      return yield* carryOut(one, { action, orderId });
    }
  }
  yield* close(one.desk, `then nothing is changed. ${moreWords(say)}`);
}

/** Reads back what the user wants at first; they change their mind then. */
function* readBackFirst(one: Case, orderId: string): Script {
  const { desk, say } = one;
  const request = { ...one.request, ...one.request.before };
  const { reason = "", address } = request;
  if (reason !== "") {
    yield* askUnlessHeard(one, { what: "reason", words: [reason] });
  }
  if (address !== undefined) {
    const words = [address.address1, address.zip];
    yield* askUnlessHeard(one, { what: "address", words });
  }
  const nothing = { items: [], newItems: [], paymentId: "" };
  const readBack = { ...nothing, request, orderId, reason, address };
  yield* desk.say(confirmWords(readBack, say));
}

function* carryOut(
  one: Case,
  { action, orderId }: { action: ToolAction; orderId: string },
): Script {
  const { desk, request, say } = one;
  const shown = yield* desk.call(action);
  yield* close(
    one.desk,
    shown.startsWith("Error")
      ? `sorry, that is not possible. ${moreWords(say)}`
      : doneWords({ request, orderId }, say),
  );
}

/** The items of the write, each with the user's words for it. */
function* chooseItems(
  one: Case,
  { orderId, action }: { orderId: string; action: ToolAction },
): Script<{ items: NamedItem[]; newItems: NamedItem[] }> {
  const { desk, request } = one;
  const words = request.items ?? [];
  if (words.length > 0) yield* askUnlessHeard(one, { what: "items", words });
  const items = texts(action.arguments, "item_ids")
    .map((id, i) => ({ id, words: words[i] ?? "" }));
  const newIds = texts(action.arguments, "new_item_ids");
  if (newIds.length === 0) return { items, newItems: [] };
  const shown = rows(desk.row("order_id", orderId), "items");
  for (const { id, words } of items) {
    const item = shown.find((other) => text(other, "item_id") === id);
    yield* readProduct(one, { id: text(item, "product_id"), words });
  }
  const newWords = request.newItems ?? [];
  yield* askUnlessHeard(one, {
    what: "newItems",
    words: newWords,
    item: words[0],
  });
  return {
    items,
    newItems: newIds.map((id, i) => ({ id, words: newWords[i] ?? "" })),
  };
}

function* choosePayment(one: Case, action: ToolAction): Script<string> {
  const id = text(action.arguments, "payment_method_id");
  if (id === "") return id;
  const { desk, request } = one;
  yield* askUnlessHeard(one, {
    what: "payment",
    words: [request.payment ?? ""],
  });
  if (!desk.knows(id)) yield* readUser(one);
  return id;
}

function* readUser({ desk }: Case): Script {
  if (desk.user !== undefined) return;
  yield* desk.call(call("get_user_details", { user_id: desk.userId }));
}

function* readOrder({ desk }: Case, orderId: string): Script {
  if (desk.row("order_id", orderId) !== undefined) return;
  yield* desk.call(call("get_order_details", { order_id: orderId }));
}

/** The note says which product the user's words mean, so that the call only repeats its id. */
function* readProduct(
  { desk }: Case,
  { id, words }: { id: string; words: string },
): Script {
  if (id === "" || desk.row("product_id", id) !== undefined) return;
  yield* desk.call(
    call("get_product_details", { product_id: id }),
    `the ${words} is product ${id}.`,
  );
}

function* askUnlessHeard(
  one: Case,
  { what, words, item }: {
    what: Missing;
    words: readonly string[];
    item?: string | undefined;
  },
): Script {
  const { desk, say } = one;
  yield* askUntil(desk, {
    question: () => askWords(what, { say, item }),
    until: () => desk.heard(...words),
  });
}

/** Whether all arguments of a gold read have been said or shown (a calculation is the expert's own). */
function isGrounded({ name, arguments: args }: ToolAction, desk: Desk) {
  return name === "calculate" ||
    [...args.values()].every((value) =>
      typeof value === "string" && desk.knows(value)
    );
}
