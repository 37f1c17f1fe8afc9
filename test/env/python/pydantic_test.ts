import assert from "node:assert/strict";
import { defineModel, field, validate } from "../../../env/python/pydantic.ts";
import {
  type JsonValue,
  parsePythonJson,
  printPythonJson,
} from "../../../env/python/python_json.ts";

const Name = defineModel("Name", {
  first_name: field.str(),
  last_name: field.str(),
});

const Order = defineModel("Order", {
  order_id: field.str(),
  cabin: field.literal("economy", "business", "first"),
  bags: field.int({ default: 0 }),
  price: field.optional(field.float()),
  is_paid: field.bool({ default: false }),
  names: field.list(field.model(Name), { default: [] }),
  seats: field.optional(
    field.map(field.int(), { keys: field.literal("a", "b") }),
  ),
});

const Strict = defineModel("Strict", { port: field.int({ default: 1 }) }, {
  extra: "forbid",
});

/** Returns the JSON of `Order(**value)`, or the error message if validation fails. */
function order(json: string): string {
  return attempt(() => validate(Order, parsePythonJson(json)));
}

function attempt(make: () => JsonValue): string {
  try {
    return printPythonJson(make());
  } catch (error) {
    assert(error instanceof Error);
    assert.equal(error.name, "ToolError");
    return error.message;
  }
}

/** Returns the JSON of a validated value, or the error type if validation fails. */
function one(type: ReturnType<typeof field.int>, value: JsonValue): string {
  const model = defineModel("M", { f: type });
  const text = attempt(() => validate(model, new Map([["f", value]])));
  return /type=(\w+),/.exec(text)?.[1] ?? text.slice(`{"f": `.length, -1);
}

Deno.test("validate() fills in defaults and keeps declaration order", () => {
  assert.equal(
    order('{"bags": "2", "cabin": "economy", "extra": 1, "order_id": "x"}'),
    '{"order_id": "x", "cabin": "economy", "bags": 2, "price": null, "is_paid": false, "names": [], "seats": null}',
  );
});

Deno.test("validate() shares nothing with the value or between defaults", () => {
  const value = parsePythonJson('{"order_id": "x", "cabin": "first"}');
  const [one, other] = [validate(Order, value), validate(Order, value)];
  const names = one.get("names");
  assert(Array.isArray(names));
  names.push("Ann");
  assert.deepEqual(other.get("names"), []);
});

Deno.test("validate() reports each invalid field in pydantic's wording", () => {
  assert.equal(
    order(
      '{"cabin": "x", "bags": "1.5", "price": [], "is_paid": "maybe", "names": [{"last_name": "B"}, 3], "seats": {"c": 1}}',
    ),
    `8 validation errors for Order
order_id
  Field required [type=missing, input_value={'cabin': 'x', 'bags': '1..., 3], 'seats': {'c': 1}}, input_type=dict]
    For further information visit https://errors.pydantic.dev/2.12/v/missing
cabin
  Input should be 'economy', 'business' or 'first' [type=literal_error, input_value='x', input_type=str]
    For further information visit https://errors.pydantic.dev/2.12/v/literal_error
bags
  Input should be a valid integer, unable to parse string as an integer [type=int_parsing, input_value='1.5', input_type=str]
    For further information visit https://errors.pydantic.dev/2.12/v/int_parsing
price
  Input should be a valid number [type=float_type, input_value=[], input_type=list]
    For further information visit https://errors.pydantic.dev/2.12/v/float_type
is_paid
  Input should be a valid boolean, unable to interpret input [type=bool_parsing, input_value='maybe', input_type=str]
    For further information visit https://errors.pydantic.dev/2.12/v/bool_parsing
names.0.first_name
  Field required [type=missing, input_value={'last_name': 'B'}, input_type=dict]
    For further information visit https://errors.pydantic.dev/2.12/v/missing
names.1
  Input should be a valid dictionary or instance of Name [type=model_type, input_value=3, input_type=int]
    For further information visit https://errors.pydantic.dev/2.12/v/model_type
seats.c.[key]
  Input should be 'a' or 'b' [type=literal_error, input_value='c', input_type=str]
    For further information visit https://errors.pydantic.dev/2.12/v/literal_error`,
  );
});

Deno.test("validate() reports forbidden keys last, and a single error in the singular", () => {
  const text = attempt(() =>
    validate(Strict, new Map<string, JsonValue>([["x", 1], ["port", null]]))
  );
  assert.deepEqual(
    text.split("\n").filter((line) => !line.startsWith("    ")),
    [
      "2 validation errors for Strict",
      "port",
      "  Input should be a valid integer [type=int_type, input_value=None, input_type=NoneType]",
      "x",
      "  Extra inputs are not permitted [type=extra_forbidden, input_value=1, input_type=int]",
    ],
  );
  assert.match(
    attempt(() => validate(Strict, [])),
    /^1 validation error for Strict\n {2}Input should be a valid dictionary or instance of Strict \[/,
  );
});

Deno.test("validate() shortens long values by bytes, without splitting characters", () => {
  const shown = (value: string) =>
    /input_value=(.*), input_type/.exec(
      attempt(() => validate(Strict, new Map([["port", value]]))),
    )?.[1];
  assert.equal(shown("a".repeat(48)), `'${"a".repeat(48)}'`);
  assert.equal(
    shown("a".repeat(49)),
    `'${"a".repeat(24)}...${"a".repeat(23)}'`,
  );
  assert.equal(
    shown("é".repeat(30)),
    `'${"é".repeat(12)}...${"é".repeat(11)}'`,
  );
});

Deno.test("field.int() accepts ints, bools, whole floats and digit strings", () => {
  const json = (text: string) => one(field.int(), parsePythonJson(text));
  for (
    const [text, expected] of [
      ["true", "1"],
      ["2.0", "2"],
      ["-0.0", "0"],
      ["1e15", "1000000000000000"],
      ["123456789012345678901", "123456789012345678901"],
      ['" 12\\u0085"', "12"],
      ['"+1_000"', "1000"],
      ['"1.00"', "1"],
      ['"-007"', "-7"],
      ['"0__1"', "1"],
      ['"0-1"', "-1"],
      ['"0-01"', "int_parsing"],
      ['"1__0"', "int_parsing"],
      ['"1."', "int_parsing"],
      ['"1e3"', "int_parsing"],
      ['""', "int_parsing"],
      ['"１"', "int_parsing"],
      ['"\\ufeff1"', "int_parsing"],
      ['"\\ud800"', "string_unicode"],
      ["1.5", "int_from_float"],
      ["Infinity", "finite_number"],
      ["NaN", "finite_number"],
      ["1e19", "int_parsing_size"],
      ["null", "int_type"],
      ["{}", "int_type"],
    ]
  ) assert.equal(json(text!), expected, text);
  assert.equal(one(field.int(), "9".repeat(4300)), "9".repeat(4300));
  assert.equal(one(field.int(), "9".repeat(4301)), "int_parsing_size");
});

Deno.test("field.float() accepts numbers and strings that Python or Rust parse as a float", () => {
  const json = (text: string) => one(field.float(), parsePythonJson(text));
  for (
    const [text, expected] of [
      ["1", "1.0"],
      ["true", "1.0"],
      ["100000000000000000000", "1e+20"],
      ['"1e3"', "1000.0"],
      ['" 1_0.5 "', "10.5"],
      ['"-iNf"', "-Infinity"],
      ['"nan"', "NaN"],
      ['"1."', "1.0"],
      ['".5"', "0.5"],
      ['"1e400"', "Infinity"],
      ['"1__0"', "float_parsing"],
      ['"_1"', "float_parsing"],
      ['"1e"', "float_parsing"],
      ['"."', "float_parsing"],
      ['"0x1"', "float_parsing"],
      ['"\\ud800"', "string_unicode"],
      [`1${"0".repeat(400)}`, "float_type"],
      ["null", "float_type"],
    ]
  ) assert.equal(json(text!), expected, text);
});

Deno.test("field.bool() accepts bools, 0, 1 and the strings for them", () => {
  const json = (text: string) => one(field.bool(), parsePythonJson(text));
  for (
    const [text, expected] of [
      ["0", "false"],
      ["1.0", "true"],
      ['"Yes"', "true"],
      ['"OFF"', "false"],
      ['" yes"', "bool_parsing"],
      ["2", "bool_parsing"],
      ["2.0", "bool_parsing"],
      ["0.5", "bool_type"],
      ["NaN", "bool_type"],
      ["null", "bool_type"],
      ["100000000000000000000", "bool_type"],
    ]
  ) assert.equal(json(text!), expected, text);
});

Deno.test("fields of strings, choices and containers reject other values", () => {
  assert.equal(one(field.str(), 1), "string_type");
  assert.equal(one(field.str(), "\ud800"), '"\\ud800"');
  assert.equal(one(field.literal("a"), "\ud800"), "string_unicode");
  assert.equal(one(field.enum(["a", "b"]), "c"), "enum");
  assert.equal(one(field.list(field.int()), new Map()), "list_type");
  assert.equal(one(field.map(field.int()), []), "dict_type");
});

Deno.test("field.date() and field.datetime() accept the format of Python's str()", () => {
  assert.equal(one(field.date(), "2025-02-25"), '"2025-02-25"');
  assert.equal(one(field.date(), "2025-02-25T00:00:00"), '"2025-02-25"');
  assert.equal(one(field.date(), "2025-02-30"), "date_type");
  assert.equal(
    one(field.datetime(), "2025-01-20T14:30:00"),
    '"2025-01-20 14:30:00"',
  );
  assert.equal(
    one(field.datetime(), "2025-01-20 14:30:00.5"),
    '"2025-01-20 14:30:00.500000"',
  );
  assert.equal(one(field.datetime(), "2025-01-20T24:30:00"), "datetime_type");
});

Deno.test("field.tagged() distinguishes models by one key", () => {
  const Card = defineModel("Card", {
    source: field.literal("card"),
    id: field.str(),
  });
  const Gift = defineModel("Gift", {
    source: field.literal("gift"),
    amount: field.float(),
  });
  const method = field.tagged("source", { card: Card, gift: Gift });
  const json = (text: string) => one(method, parsePythonJson(text));
  assert.equal(
    json('{"amount": 1, "source": "gift", "id": "x"}'),
    '{"source": "gift", "amount": 1.0}',
  );
  assert.equal(json('{"source": "toString"}'), "union_tag_invalid");
});
