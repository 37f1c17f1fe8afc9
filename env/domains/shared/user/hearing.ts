/**
 * Interprets an agent's message by keywords, whether the agent is terse or verbose. A detail counts as asked for only
 * if it is mentioned in a question or a request.
 */

/** A detail that agents of several domains ask for. */
type CommonDetail =
  | "identity"
  | "email"
  | "name"
  | "zip"
  | "order"
  | "items"
  | "newItems"
  | "reason"
  | "payment"
  | "address";

/** A detail that an agent may ask for: a common detail, or a detail specific to the domain. */
export type AskedDetail = CommonDetail | (string & Record<never, never>);

/** What a scripted user understands of an agent's message. */
export interface Heard {
  readonly asked: ReadonlySet<AskedDetail>;
  /** Whether the agent asks for consent or for a yes-or-no answer. */
  readonly wantsYes: boolean;
  /** Whether the agent asks how it can help, or whether the user wants anything else. */
  readonly asksMore: boolean;
  /** Whether the agent asks what exactly it should do. */
  readonly asksWish: boolean;
  /** Whether the agent says that something cannot be done. */
  readonly refuses: boolean;
  /** Whether the agent says that the request is done. */
  readonly reports: boolean;
}

const ASKING =
  /\?|\b(please|could you|can you|may i|i('ll| will)? (also )?need|let me know|tell me|provide|share|specify|give me)\b/;

const PATTERNS: Readonly<Record<CommonDetail, RegExp>> = {
  identity:
    /\b(verify|confirm|authenticate|validate|check)\b.{0,30}\b(identity|account|who you are|yourself)\b|\bauthenticate you\b|\bidentify\b|\bwho (are you|am i)\b/,
  email: /\be-?mail/,
  name: /\b(full|first|last|your) names?\b|\bname\b.{0,20}\bzip|\bname on\b/,
  zip: /\bzip|\bpost(al)? ?code/,
  order:
    /\border('s)? (id|number|no\b|#)|\b(which|what) orders?\b|\b(id|number) (of|for) (the|your) order/,
  items:
    /\b(which|what) (specific |particular )?(items?|products?|ones?|things?|articles?)\b|\bname of the (item|product)|\bitems?\b.{0,40}\b(you('d| would)? (like|want|wish)|to (return|exchange|change|modify|swap))\b|\bwhat (do you|would you like to|should i) (return|exchange|change|swap)/,
  newItems:
    /\b(which|what) (new|other|replacement|variant|version|option|colou?r|size|finish|material|style|type)|\b(new|replacement|desired|preferred) (items?|options?|variants?|version|colou?r|size)|\binstead\b|\b(for|to|into) (what|which)\b|\bwhat\b.{0,40}\b(be|become|like it|have it)\b|\bin exchange for\b|\b(exchange|swap|change) (it|them|that|this) (for|to|with)\b/,
  reason: /\breasons?\b|\bwhy\b|no longer needed.{0,20}ordered by mistake/,
  payment:
    /\b(which|what|how|where)\b.{0,60}\b(pay|payment|refund|refunded|card|charged?|money)\b|\b(a|the|your|preferred|new|different|another) payment( method)?\b|\b(refund|pay|charge)\b.{0,60}\bor\b|\bpayment method\b/,
  address:
    /\b(new|shipping|full|complete|correct|right|which|what|default|updated|delivery)\b.{0,20}\baddress\b|\bwhere\b.{0,30}\b(ship|send|sent|deliver|go)|\bstreet\b|\baddress (would|do|should)\b|\bthe address\b/,
};

/** Matches phrases such as `before we proceed`, which do not ask for consent. */
const BEFORE =
  /\bbefore (i|we|you)( can)? (proceed|continue|go ahead|confirm)( with (that|this|it))?/g;

const YES_NO = /\byes\b.{0,12}\bno\b|\by\/n\b/;

/** Matches phrases that ask for consent; see {@linkcode asksConsent}. */
const CONFIRM =
  /(?:\b(shall i|should i|confirm|proceed|go ahead|approve|authorize|do you (want me|agree|wish|want to)|would you like (me to|to)|may i (go|do)|is (that|this|it|everything|all) (all )?(correct|right|ok|okay|fine|accurate|good)|sounds? good|does (that|this) (look|sound|work))|\b(ok|okay|correct|right)\?)/g;

/** Matches a word that introduces a question about a detail. */
const QUESTION_WORD = /\b(?:which|what|why|where|how|when)\b/;

const SENTENCE_END = /[.?!]/g;

const MORE =
  /\b(anything|something|any ?one|any|what) (else|other|more|further)\b|\bhow (else )?(can|may|could) i (help|assist|be of)|\b(further|additional|more) (help|assistance|questions|requests)\b|\bis that all\b|\bwhat can i do\b/;

const WISH =
  /\bwhat (exactly )?(do|would) you (want|like|wish)( me)? to (do|be done)\b/;

const REFUSES =
  /\b(can ?not|can'?t|could not|couldn'?t|unable|not (possible|able|allowed|eligible|permitted|authorized)|won'?t be able|impossible|deny|denied|decline|refuse|unfortunately|another account|someone else|(is|are|was) not (your|yours))\b/;

const DONE =
  /\b(has|have) (now |just |already )?been\b|\bsuccess|\ball set\b|\bdone\b|\bcomplete[d.]?\b|\bi('ve| have) (now |just )?(cancel|return|exchang|updat|chang|modif|switch|process|submit|request|initiat|set|mov)|\b(is|are|was|were) (now )?(cancell?ed|returned|exchanged|updated|changed|modified|requested|submitted|shipped to|paid)\b|\brequested\b/;

const GENERIC_DONE = /\b(all set|done|success|complete)/;

/** The context in which a message is interpreted. */
export interface ListeningContext {
  /**
   * Matches words of the current request. A report counts only if it contains such a word or a general phrase such as
   * `all set`.
   */
  readonly topic: RegExp;
  /** Patterns, keyed by kind, for additional details that agents of the domain ask for. Default: none. */
  readonly details?: Readonly<Record<string, RegExp>>;
}

/** Interprets an agent's message for a user with an open request. */
export function hear(
  message: string,
  { topic, details }: ListeningContext,
): Heard {
  const text = message.toLowerCase().replaceAll("’", "'")
    .replaceAll(BEFORE, "");
  const asking = sentences(text).filter((sentence) => ASKING.test(sentence));
  const asked = new Set<AskedDetail>();
  for (const sentence of asking) {
    if (YES_NO.test(sentence) || MORE.test(sentence)) continue;
    for (const [what, pattern] of Object.entries({ ...PATTERNS, ...details })) {
      if (pattern.test(sentence)) asked.add(what);
    }
  }
  const identity = asked.has("identity") || asked.has("email") ||
    asked.has("name") || asked.has("zip");
  return {
    asked,
    wantsYes: YES_NO.test(text) ||
      (!identity && asking.some(asksConsent)),
    asksMore: asking.some((sentence) => MORE.test(sentence)),
    asksWish: asking.some((sentence) => WISH.test(sentence)),
    refuses: REFUSES.test(text),
    reports: DONE.test(text) &&
      (topic.test(text) || GENERIC_DONE.test(text)),
  };
}

/**
 * Checks whether a message asks for consent: a sentence must contain a phrase that asks for consent and is not preceded
 * by a question word. The check proceeds sentence by sentence, because a lookbehind at each match would take quadratic
 * time.
 */
function asksConsent(text: string): boolean {
  CONFIRM.lastIndex = 0;
  let start = 0;
  for (let match; (match = CONFIRM.exec(text)) !== null;) {
    let end = text.length;
    SENTENCE_END.lastIndex = start;
    for (let stop; (stop = SENTENCE_END.exec(text)) !== null;) {
      if (stop.index >= match.index) {
        end = stop.index;
        break;
      }
      start = stop.index + 1;
    }
    if (!QUESTION_WORD.test(text.slice(start, match.index))) return true;
    // The rest of this sentence comes after the same question word.
    CONFIRM.lastIndex = Math.max(end, match.index + 1);
  }
  return false;
}

/**
 * Splits text into sentences and lines. A sentence that ends with a colon is joined with the items of the list that
 * follows, except items that state a value.
 */
function sentences(text: string): string[] {
  const parts = text.split(/(?<=[.?!])(?<!^\s*\d+\.)\s+|\n+/m)
    .filter((part) => part.trim() !== "");
  const joined: string[] = [];
  let isList = false;
  for (const part of parts) {
    if (isList && LISTED.test(part)) {
      // `- reason: no longer needed` states a value; only `- the reason` asks for one.
      if (!STATED.test(part)) joined.push(`${joined.pop()} ${part}`);
      continue;
    }
    joined.push(part);
    isList = /:\s*$/.test(part);
  }
  return joined;
}

const LISTED = /^\s*([-*•]|\d+[.)])\s/;

const STATED = /:[*_\s]*\S/;
