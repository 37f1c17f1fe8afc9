/**
 * Infers the type that a JSON schema specifies for a value.
 *
 * @see sgl-project/sglang 0.5.15, `python/sglang/srt/function_call/utils.py`, `infer_type_from_json_schema`.
 */

type Fields = Partial<
  Record<
    "type" | "anyOf" | "oneOf" | "enum" | "allOf" | "properties" | "items",
    unknown
  >
>;

/** Maximum nesting depth of alternatives. */
const MAX_DEPTH = 32;

/** Returns the type that a schema specifies, such as `string` or `object`, or `undefined` if it specifies none. */
export function schemaType(schema: unknown, depth = 0): string | undefined {
  const isObject = typeof schema === "object" && schema !== null &&
    !Array.isArray(schema);
  if (!isObject || depth > MAX_DEPTH) return undefined;
  const fields: Fields = schema;
  const { type } = fields;
  if (typeof type === "string") return type;
  if (Array.isArray(type) && type.length > 0) {
    const first: unknown = type.find((one) => one !== "null");
    return typeof first === "string" ? first : "string";
  }
  return typeOfAlternatives(fields, depth) ?? typeOfEnum(fields.enum) ??
    typeOfAll(fields.allOf, depth) ??
    ("properties" in fields
      ? "object"
      : "items" in fields
      ? "array"
      : undefined);
}

/**
 * Returns `string` if any alternative of a schema specifies it; otherwise, returns the type of the first alternative
 * that specifies one.
 */
function typeOfAlternatives(
  { anyOf, oneOf }: Fields,
  depth: number,
): string | undefined {
  const all = Array.isArray(anyOf) && anyOf.length > 0 ? anyOf : oneOf;
  if (!Array.isArray(all)) return undefined;
  const types = all.map((one) => schemaType(one, depth + 1))
    .filter((type) => type !== undefined);
  return types.includes("string") ? "string" : types[0];
}

function typeOfEnum(values: unknown): string | undefined {
  if (!Array.isArray(values)) return undefined;
  const types = new Set(values.map(typeOfValue));
  const [only] = types;
  return types.size === 1 ? only : "string";
}

function typeOfValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  if (typeof value === "number") {
    return Number.isInteger(value) ? "integer" : "number";
  }
  return typeof value === "object" ? "object" : typeof value;
}

function typeOfAll(schemas: unknown, depth: number): string | undefined {
  if (!Array.isArray(schemas)) return undefined;
  return schemas.map((one) => schemaType(one, depth + 1))
    .find((type) => type !== undefined && type !== "string") ?? "string";
}
