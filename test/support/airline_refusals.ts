/**
 * Checks that every refusal by an airline agent is justified by the conversation before it. It reimplements the
 * policy's rules, based only on what the user said and what the tools returned.
 */

import {
  type JsonObject,
  parsePythonJson,
} from "../../env/python/python_json.ts";
import {
  numberIn,
  row,
  rows,
  text,
} from "../../env/domains/shared/read_row.ts";
import type { Answered, Transcript } from "./underivable.ts";

const TODAY = "2024-05-15";

/** A refusal with its context. */
interface Refused {
  /** The value that the refusal names: a user id, a time or a flight number; an empty string if it names none. */
  readonly named: string;
  /** The text of the user's messages from their last request on, in lower case. */
  readonly said: string;
  readonly before: Transcript;
  /** The reservation that the user named, as a tool last returned it; `undefined` if no tool did. */
  readonly held: JsonObject | undefined;
}

/** Patterns of refusals, each with the condition that justifies the refusal. */
const REASONS: readonly (readonly [RegExp, (refused: Refused) => boolean])[] = [
  [
    /that reservation is not of (\w+)/,
    ({ named, held }) => held !== undefined && text(held, "user_id") !== named,
  ],
  [
    /that account is not of (\w+)/,
    ({ named, said }) =>
      /on the account of (\w+)/.exec(said)?.[1] !== named.toLowerCase(),
  ],
  [
    /it was booked at (\S+), without insurance and not in business/,
    (refused) =>
      isBooked(refused) && !isPrivileged(refused) &&
      refused.named < "2024-05-14T15:00:00" &&
      legsOf(refused).every((leg) => isAhead(leg) && isShown(leg, refused)),
  ],
  [
    /it was booked at (\S+) and gives no right/,
    (refused) => isBooked(refused) && hasNoRight(refused),
  ],
  [/(HAT\d+) has been flown/, (refused) => legsOf(refused).some(isFlown)],
  [/there are not enough seats/, lacksSeats],
  [
    /there are at most five passengers/,
    ({ said }) => said.split(" born ").length > 6,
  ],
  [
    /the way back starts at the destination/,
    ({ said }) => /\bback from\b/.test(said),
  ],
  [
    /at most one certificate can pay/,
    ({ said }) => /\btwo certificates\b/.test(said),
  ],
  [/no more bags are free/, ({ said }) => /\bfree bags?\b/.test(said)],
  [
    /no certificate pays for a change of (HAT\d+)/,
    ({ said }) => /\bpaid with my certificate\b/.test(said),
  ],
  [
    /the trip that begins with (HAT\d+) was given back/,
    ({ held }) => text(held, "status") === "cancelled",
  ],
  [
    /the trip that begins with (HAT\d+) cannot be changed like that/,
    ({ said, held }) =>
      /\bto one that goes to\b|\bbags? less\b|\badd a passenger\b/.test(said) ||
      /\bchange the flight\b/.test(said) &&
        text(held, "cabin") === "basic_economy",
  ],
];

/**
 * Returns a list with one fault if a message is an unjustified refusal. Returns an empty list if the refusal is
 * justified, or the message is not a refusal.
 */
export function groundlessRefusal(
  content: string,
  { before, said }: { before: Transcript; said: string },
): string[] {
  if (!/^sorry, .*, so i cannot do that\./.test(content)) return [];
  const held = before.rows.findLast((one) => isNamedIn(said, one));
  for (const [words, holds] of REASONS) {
    const named = words.exec(content);
    if (named === null) continue;
    const first = text(rows(held, "flights")[0], "flight_number");
    const isTold = !named[1]?.startsWith("HAT") || named[1] === first;
    return isTold && holds({ named: named[1] ?? "", said, before, held })
      ? []
      : [`"${content}" has no reason`];
  }
  return [`"${content}" gives no reason`];
}

function isNamedIn(said: string, one: JsonObject): boolean {
  const names = [
    `reservation ${text(one, "reservation_id")}`,
    `my trip from ${text(one, "origin")} to ${text(one, "destination")}`,
  ];
  return one.has("reservation_id") &&
    names.some((name) => said.includes(name.toLowerCase()));
}

function legsOf({ held }: Refused): JsonObject[] {
  return rows(held, "flights");
}

function isBooked({ named, held }: Refused): boolean {
  return text(held, "created_at") === named;
}

function isAhead(leg: JsonObject): boolean {
  return text(leg, "date") > TODAY;
}

function isFlown(leg: JsonObject): boolean {
  return text(leg, "date") < TODAY;
}

function isPrivileged({ held }: Refused): boolean {
  return text(held, "insurance") === "yes" ||
    text(held, "cabin") === "business";
}

/**
 * Checks whether a user has no right to compensation, for one of three reasons: the user's membership and the
 * reservation do not qualify; a flight was late, but the reservation was neither changed nor cancelled; or the user
 * claims another incident, but searches list all flights of the reservation.
 */
function hasNoRight(refused: Refused): boolean {
  const { said, before } = refused;
  const user = before.rows.findLast((one) => one.has("membership"));
  if (!isPrivileged(refused) && text(user, "membership") === "regular") {
    return true;
  }
  const id = text(refused.held, "reservation_id");
  const wasChanged = before.answered.some((
    { call: { name, arguments: args } },
  ) => /^(cancel|update)_/.test(name) && args.get("reservation_id") === id);
  return /\ba flight was late of\b/.test(said)
    ? !wasChanged
    : legsOf(refused).every((leg) => isShown(leg, refused));
}

/** Checks whether a search for the day of `leg` returned its flight, with at least `seats` seats in the cabin. */
function isShown(
  leg: JsonObject,
  { before }: Refused,
  { cabin = "economy", seats = 0 }: { cabin?: string; seats?: number } = {},
): boolean {
  return searchesIn(before).some(({ call, shown }) =>
    call.arguments.get("date") === leg.get("date") &&
    rowsIn(shown).some((flight) =>
      text(flight, "flight_number") === text(leg, "flight_number") &&
      numberIn(row(flight, "available_seats"), cabin) >= seats
    )
  );
}

function searchesIn({ answered }: Transcript): readonly Answered[] {
  return answered.filter(({ call }) => call.name === "search_direct_flight");
}

function rowsIn(shown: string): JsonObject[] {
  const list = parsePythonJson(shown);
  return Array.isArray(list) ? list.filter((one) => one instanceof Map) : [];
}

/**
 * Checks whether there are too few seats on the flight that the user named or, if they named none, on any flight of the
 * reservation. There are too few if the search results do not list the flight, or list it with too few seats in the
 * requested cabin. If the agent has not searched, returns `false`.
 */
function lacksSeats(refused: Refused): boolean {
  const { said, before, held } = refused;
  const cabin = /\bin (basic economy|economy|business)\b/.exec(said)?.[1]
    ?.replace(" ", "_") ?? text(held, "cabin");
  const number = /\bon flight (hat\d+)\b/.exec(said)?.[1]?.toUpperCase();
  const isBooking = /\bbook a\b/.test(said);
  const seats = isBooking
    ? said.split(" born ").length - 1
    : rows(held, "passengers").length;
  const dates = said.match(/\b2024-\d\d-\d\d\b/g) ?? [];
  const wanted = number === undefined
    ? legsOf(refused)
    : dates.slice(0, 1).map((date) =>
      new Map([["flight_number", number], ["date", date]])
    );
  return searchesIn(before).length > 0 &&
    wanted.some((leg) => !isShown(leg, refused, { cabin, seats }));
}
