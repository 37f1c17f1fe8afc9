/** Draws the carrier's accounts for a composed world: plans, and customers with their lines, phones and bills. */

import {
  CITIES,
  FIRST_NAMES,
  LAST_NAMES,
  STREETS,
} from "../../../generated/people.ts";
import { toFloat } from "../../../python/python_number.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";
import type { Rng } from "../../../random.ts";
import { object } from "../../shared/call.ts";

/** A line with the data of the user who may call about it. */
export interface Caller {
  readonly customerId: string;
  readonly name: string;
  readonly lineId: string;
  readonly phone: string;
  /** The data included in the line's plan, in GB. */
  readonly limitGb: number;
}

/** The drawn accounts, and all lines that a user may call about. */
export interface Accounts {
  /** The agent's database in the format of the benchmark's file. */
  readonly agent: JsonObject;
  readonly callers: readonly Caller[];
}

/**
 * The plans. Each has a name, the included data in GB, the monthly price in dollars, and the price per additional GB in
 * dollars.
 */
const PLANS: readonly (readonly [string, number, number, number])[] = [
  ["small", 3, 20, 6],
  ["medium", 10, 35, 4],
  ["large", 25, 60, 2.5],
  ["family", 50, 95, 1.5],
];

/** Draws accounts for the given number of customers, each with up to `linesMax` lines. */
export function drawAccounts(
  rng: Rng,
  { customers, linesMax }: {
    readonly customers: number;
    readonly linesMax: number;
  },
): Accounts {
  const drawn = Array.from(
    { length: customers },
    (_, i) => drawCustomer(rng, { n: i + 1, linesMax }),
  );
  const plans = PLANS.map(([name, limit, price, gb], i) =>
    object({
      plan_id: `P${i + 1}`,
      name: `${name} plan`,
      data_limit_gb: toFloat(limit),
      price_per_month: toFloat(price),
      data_refueling_price_per_gb: toFloat(gb),
    })
  );
  return {
    agent: object({
      plans,
      customers: drawn.map(({ customer }) => customer),
      lines: drawn.flatMap(({ lines }) => lines),
      bills: drawn.flatMap(({ bills }) => bills),
      devices: drawn.flatMap(({ devices }) => devices),
    }),
    callers: drawn.flatMap(({ callers }) => callers),
  };
}

interface DrawnCustomer {
  readonly customer: JsonObject;
  readonly lines: readonly JsonObject[];
  readonly bills: readonly JsonObject[];
  readonly devices: readonly JsonObject[];
  readonly callers: readonly Caller[];
}

function drawCustomer(
  rng: Rng,
  { n, linesMax }: { readonly n: number; readonly linesMax: number },
): DrawnCustomer {
  const customerId = `C${1000 + n}`;
  const name = `${rng.pick(FIRST_NAMES)} ${rng.pick(LAST_NAMES)}`;
  const numbers = Array.from(
    { length: 1 + rng.int(linesMax) },
    (_, i) => n * 10 + i,
  );
  const plans = numbers.map(() => rng.int(PLANS.length));
  const lines = numbers.map((number, i) => drawLine(rng, number, plans[i]!));
  const bills = drawBills(customerId, n, plans);
  return {
    customer: object({
      customer_id: customerId,
      full_name: name,
      date_of_birth: `${1950 + rng.int(55)}-0${1 + rng.int(9)}-1${rng.int(10)}`,
      email: `${name.replace(" ", ".")}${n}@example.com`,
      phone_number: phoneOf(numbers[0]!),
      address: drawAddress(rng),
      account_status: "Active",
      payment_methods: [
        object({
          method_type: rng.pick(["Credit Card", "Debit Card", "PayPal"]),
          account_number_last_4: String(1000 + rng.int(9000)),
          expiration_date: `0${1 + rng.int(9)}/2027`,
        }),
      ],
      line_ids: numbers.map(lineOf),
      bill_ids: bills.map((bill) => bill.get("bill_id") ?? null),
      created_at: `2024-0${1 + rng.int(9)}-1${rng.int(10)}T10:30:00`,
    }),
    lines,
    bills,
    devices: numbers.map((number) => drawDevice(rng, number)),
    callers: numbers.map((number, i) => ({
      customerId,
      name,
      lineId: lineOf(number),
      phone: phoneOf(number),
      limitGb: PLANS[plans[i]!]![1],
    })),
  };
}

function lineOf(number: number): string {
  return `L${10000 + number}`;
}

/** Formats a phone number. All phone numbers have the same length, so that no number is a prefix of another. */
function phoneOf(number: number): string {
  const digits = String(1000000 + number);
  return `555-${digits.slice(0, 3)}-${digits.slice(3)}`;
}

function drawLine(rng: Rng, number: number, plan: number): JsonObject {
  return object({
    line_id: lineOf(number),
    phone_number: phoneOf(number),
    status: "Active",
    plan_id: `P${plan + 1}`,
    device_id: `D${10000 + number}`,
    data_used_gb: toFloat(rng.int(PLANS[plan]![1] * 9) / 10),
    data_refueling_gb: toFloat(0),
    roaming_enabled: rng.int(2) === 1,
    contract_end_date: `202${6 + rng.int(3)}-0${1 + rng.int(9)}-15`,
  });
}

function drawDevice(rng: Rng, number: number): JsonObject {
  return object({
    device_id: `D${10000 + number}`,
    device_type: "phone",
    model: `model ${rng.pick(["a", "b", "c"])}${1 + rng.int(9)}`,
    imei: String(350000000000000 + number),
    is_esim_capable: rng.int(2) === 1,
    activated: true,
  });
}

function drawAddress(rng: Rng): JsonObject {
  const [city, state] = rng.pick(CITIES);
  return object({
    street: `${1 + rng.int(99)} ${rng.pick(STREETS)}`,
    city,
    state,
    zip_code: String(10000 + rng.int(89999)),
  });
}

/** Returns a paid bill for the current month, February 2025, and an empty draft bill for the next month. */
function drawBills(
  customerId: string,
  n: number,
  plans: readonly number[],
): JsonObject[] {
  const items = plans.map((plan): JsonValue =>
    object({
      description: `${PLANS[plan]![0]} plan`,
      amount: toFloat(PLANS[plan]![2]),
      date: "2025-02-05",
      item_type: "Plan Charge",
    })
  );
  const due = plans.reduce((sum, plan) => sum + PLANS[plan]![2], 0);
  const bill = (
    id: number,
    month: string,
    fields: Readonly<Record<string, JsonValue>>,
  ) =>
    object({
      bill_id: `B${id}`,
      customer_id: customerId,
      period_start: `2025-${month}-01`,
      period_end: `2025-${month}-28`,
      issue_date: `2025-${month}-05`,
      due_date: `2025-${month}-19`,
      ...fields,
    });
  return [
    bill(10000 + n * 10, "02", {
      total_due: toFloat(due),
      line_items: items,
      status: "Paid",
    }),
    bill(10001 + n * 10, "03", {
      total_due: toFloat(0),
      line_items: [],
      status: "Draft",
    }),
  ];
}
