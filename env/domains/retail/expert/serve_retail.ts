/**
 * The expert for the retail domain. It identifies the user, lets them state their request, finds the order, asks for
 * missing details, reads the details back, and makes the write call once the user has confirmed them. It infers what
 * users mean only from what they have said and the tools have shown; the goal determines only which words the expert
 * looks for in their messages.
 */

import type { Desk, Script } from "../../../agents/desk.ts";
import { isErrorAnswer } from "../../../call_tool.ts";
import type { ExpertStart } from "../../../domain.ts";
import type { JsonObject } from "../../../python/python_value.ts";
import type { ToolAction } from "../../../types.ts";
import { call } from "../../shared/call.ts";
import { askUntil, close, MAX_ASKS } from "../../shared/expert/moves.ts";
import { answerWords, MORE } from "../../shared/expert/words.ts";
import { isProse } from "../../shared/goal/bench_goal.ts";
import type { Identity } from "../../shared/goal/goal.ts";
import { rows, text, texts } from "../../shared/read_row.ts";
import type { RetailRequest, RetailTask } from "../goal/request.ts";
import { retailBenchGoal } from "../user/bench_goal.ts";
import { intentsIn, requestWords } from "../user/request_words.ts";
import { answersTo } from "./answers.ts";
import { readOrder, readUser } from "./asked_rows.ts";
import { rowAnswer } from "./row_answer.ts";
import {
  askWords,
  confirmWords,
  doneWords,
  type Missing,
  refuseWords,
} from "./expert_words.ts";
import {
  isKindOf,
  matchItems,
  matchMethod,
  matchVariant,
  methodIdIn,
} from "./match_words.ts";
import {
  type Details,
  detailsRefused,
  orderRefused,
  paidBy,
} from "./refusal_of.ts";
import { nextOrderNote, orderThought, variantThought } from "./search_words.ts";
import { writeOf } from "./write_of.ts";

/** A request that the expert is working on. */
interface Case {
  readonly desk: Desk;
  readonly request: RetailRequest;
}

/** Identifies the user of a task, and handles all their requests. */
export function* serveRetail(
  { desk, task, database }: ExpertStart & { readonly task: RetailTask },
): Script {
  const { identity, requests } = task.goal ??
    retailBenchGoal(task, database).goal;
  if (!(yield* authenticate(desk, identity))) {
    yield* desk.say("sorry, i cannot help without knowing who you are.");
    return;
  }
  for (const [i, request] of requests.entries()) {
    if (i > 0) desk.beginRequest();
    const refusal = yield* serveRequest({ desk, request });
    if (refusal !== undefined) yield* close(desk, refuseWords(refusal));
  }
  yield* desk.say(MORE);
}

/**
 * Asks the user who they are, and looks up their id.
 * @returns Whether the user has stated their identity.
 */
function* authenticate(
  desk: Desk,
  { email, firstName, lastName, zip }: Identity,
): Script<boolean> {
  const named = () =>
    desk.everHeard(email) || desk.everHeard(firstName, lastName, zip);
  yield* askUntil(desk, {
    question: () => askWords("identity"),
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

/** The reason that the expert gives when it refuses a request that it does not understand or cannot carry out. */
const CANNOT = "i cannot do that";

/**
 * Handles a single request.
 * @returns The reason for a refusal; `undefined` if the request was not refused.
 */
function* serveRequest(one: Case): Script<string | undefined> {
  const { desk, request } = one;
  yield* askUntil(desk, {
    question: () => askWords("wish"),
    until: () => isStated(one),
  });
  if (!isStated(one)) return CANNOT;
  if (request.intent === "question") return yield* answer(one);
  if (request.profileOf !== undefined) {
    return "that profile belongs to another account, so i cannot change it";
  }
  if (request.intent === "user_address") {
    return yield* write(one, { orderId: "" });
  }
  const orderId = yield* findOrder(one);
  if (orderId === undefined) return CANNOT;
  return orderRefused(desk, { request, orderId }) ??
    (yield* write(one, { orderId }));
}

/**
 * Checks whether the user has stated the request, or its initial version, in a message that does not mention any other
 * kind of request. If the request is a question, the message may also mention other requests.
 */
function isStated({ desk, request }: Case): boolean {
  const message = [request, { ...request, ...request.before }]
    .map((one) => desk.messageWith(requestWords(one)))
    .find((said) => said !== undefined);
  return message !== undefined &&
    (request.intent === "question" ||
      intentsIn(message).every((one) => one === request.intent));
}

function* answer(one: Case): Script<string | undefined> {
  const { desk, request } = one;
  const outputs = isProse(request)
    ? yield* answersTo(request.question ?? "", desk)
    : yield* rowAnswers(one);
  if (outputs.length === 0) return CANNOT;
  yield* close(desk, answerWords({ request, outputs }));
  return undefined;
}

/**
 * Reads the row that a question of a fixed form is about, and returns the answer in a list. The list is empty if the
 * row does not contain the answer.
 */
function* rowAnswers(one: Case): Script<string[]> {
  const { desk, request } = one;
  const isAboutOrder = request.orderId !== undefined ||
    request.orderWords !== undefined;
  const orderId = isAboutOrder ? yield* findOrder(one) : undefined;
  if (!isAboutOrder) yield* readUser(desk);
  const order = desk.row("order_id", orderId ?? "");
  const answer = rowAnswer(request.question ?? "", { desk, order });
  return answer === undefined ? [] : [answer];
}

/**
 * Finds and reads the order that the request is about.
 * @returns The order's id; `undefined` if the user's words do not determine it.
 */
function* findOrder(one: Case): Script<string | undefined> {
  const { desk, request: { orderId, orderWords } } = one;
  if (orderId !== undefined) {
    if (!(yield* hear(one, { what: "order", words: [orderId] }))) {
      return undefined;
    }
    yield* readOrder(desk, orderId);
    return orderId;
  }
  const marker = orderWords?.replace(/^the one with the /, "");
  if (marker === undefined) return undefined;
  if (!(yield* hear(one, { what: "order", words: [marker] }))) return undefined;
  yield* readUser(desk);
  const ids = texts(desk.user, "orders");
  for (const [i, id] of ids.entries()) {
    const isNew = desk.row("order_id", id) === undefined;
    const note = i === 0 ? "" : nextOrderNote(ids[i - 1]!, id);
    const order = yield* readOrder(desk, id, note);
    const isIn = rows(order, "items").some((item) =>
      text(item, "name") === marker
    );
    if (isNew && ids.length > 1) {
      const thought = orderThought(marker, { orderId: id, isIn });
      yield* desk.call(call("think", { thought }));
    }
    if (isIn) return id;
  }
  return undefined;
}

/**
 * Collects the details, reads them back, and makes the write call once the user has confirmed them.
 * @returns The reason for a refusal; `undefined` if the request was not refused.
 */
function* write(
  one: Case,
  { orderId }: { orderId: string },
): Script<string | undefined> {
  const { desk, request } = one;
  if (request.before !== undefined) yield* readBackFirst(one, orderId);
  const details = yield* collect(one, desk.row("order_id", orderId));
  if (details === undefined) return CANNOT;
  const refusal = detailsRefused(desk, { request, details });
  if (refusal !== undefined) return refusal;
  const action = writeOf(request, { orderId, userId: desk.userId, details });
  const { paymentId, items, variants } = details;
  const readBack = {
    request,
    orderId,
    items: named(items, request.items),
    newItems: named(variants, request.newItems),
    paymentId,
    reason: request.reason ?? "",
    address: request.address,
  };
  for (let asks = 0; asks <= MAX_ASKS; asks++) {
    const reply = yield* desk.say(confirmWords(readBack));
    if (/\byes\b/.test(reply)) return yield* carryOut(one, { action, orderId });
  }
  yield* close(desk, `then nothing is changed. ${MORE}`);
  return undefined;
}

function named(items: readonly JsonObject[], words: readonly string[] = []) {
  return items.map((item, i) => ({
    id: text(item, "item_id"),
    words: words[i] ?? "",
  }));
}

/** Reads the initial version of the user's request back to them. The user then changes their mind. */
function* readBackFirst(one: Case, orderId: string): Script {
  const { desk } = one;
  const request = { ...one.request, ...one.request.before };
  yield* hearPlain({ desk, request });
  const { reason = "", address } = request;
  const nothing = { items: [], newItems: [], paymentId: "" };
  yield* desk.say(
    confirmWords({ ...nothing, request, orderId, reason, address }),
  );
}

function* carryOut(
  { desk, request }: Case,
  { action, orderId }: { action: ToolAction; orderId: string },
): Script<string | undefined> {
  const shown = yield* desk.call(action);
  if (isErrorAnswer(shown)) return "that is not possible";
  yield* close(desk, doneWords({ request, orderId }));
  return undefined;
}

/**
 * Asks for details that the user has not stated, and resolves all details to rows. Returns `undefined` if a detail
 * cannot be resolved.
 */
function* collect(
  one: Case,
  order: JsonObject | undefined,
): Script<Details | undefined> {
  const { request: { items: words = [] } } = one;
  const isHeard = yield* hear(one, { what: "items", words });
  const items = matchItems(order, words);
  if (!isHeard || items === undefined) return;
  const variants = yield* chooseVariants(one, items);
  if (variants === undefined || !(yield* hearPlain(one))) return;
  const paymentId = yield* choosePayment(one, order);
  return paymentId === undefined
    ? undefined
    : { order, items, variants, paymentId };
}

/**
 * Reads the items' products, and finds the variants that replace the items. Returns an empty list if the request names
 * no variants or another product, and `undefined` if a variant cannot be resolved.
 */
function* chooseVariants(
  one: Case,
  items: readonly JsonObject[],
): Script<JsonObject[] | undefined> {
  const { request: { items: words = [], newItems = [], otherProduct } } = one;
  const products = items.map((item) => text(item, "product_id"));
  if (newItems.length > 0 && otherProduct !== true) {
    for (const [i, id] of products.entries()) {
      yield* readProduct(one, { id, words: words[i] ?? "" });
    }
  }
  const about = { what: "newItems", words: newItems, item: words[0] } as const;
  if (!(yield* hear(one, about))) return;
  if (otherProduct === true) return [];
  const variants: JsonObject[] = [];
  for (const [i, into] of newItems.entries()) {
    const product = one.desk.row("product_id", products[i] ?? "");
    const meant = matchVariant(product, into);
    if (meant === undefined) return;
    const thought = variantThought(product, { meant, words: into });
    yield* one.desk.call(call("think", { thought }));
    variants.push(meant);
  }
  return variants;
}

/**
 * Asks for the details that require no lookup: the reason and the address.
 * @returns Whether the user has stated them.
 */
function* hearPlain(one: Case): Script<boolean> {
  const { reason, address } = one.request;
  const reasons = reason === undefined ? [] : [reason];
  return (yield* hear(one, { what: "reason", words: reasons })) &&
    (yield* hear(one, {
      what: "address",
      words: Object.values(address ?? {}),
    }));
}

/**
 * Returns the id of the payment method: an empty string if the request needs no payment method, and `undefined` if the
 * user's words do not determine it.
 */
function* choosePayment(
  one: Case,
  order: JsonObject | undefined,
): Script<string | undefined> {
  const { desk, request: { intent, payment: words } } = one;
  if (words === undefined) return "";
  if (!(yield* hear(one, { what: "payment", words: [words] }))) return;
  const said = methodIdIn(words);
  if (said !== undefined) return said;
  const before = paidBy(order);
  if (intent !== "modify_payment" && isKindOf(words, before)) return before;
  yield* readUser(desk);
  return matchMethod(desk.user, words);
}

/**
 * Reads a product, unless the expert has already read it. A thought before the call names the product and its id, so
 * that the call only has to repeat the id.
 */
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

/**
 * Asks for a detail until the user has stated it, up to a limited number of times.
 * @returns Whether the user has stated it.
 */
function* hear(
  { desk }: Case,
  { what, words, item }: {
    what: Missing;
    words: readonly string[];
    item?: string | undefined;
  },
): Script<boolean> {
  const until = () => desk.heard(...words);
  yield* askUntil(desk, { question: () => askWords(what, item), until });
  return until();
}
