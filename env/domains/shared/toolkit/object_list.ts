/** Converts the elements of list arguments to model instances. */

import { ToolError } from "../../../errors.ts";
import { type Model, validate } from "../../../python/pydantic.ts";
import { elements, typeName } from "../../../python/python_object.ts";
import type { JsonObject, JsonValue } from "../../../python/python_value.ts";

/** A converted list argument: model instances, or the raw value if an element is not an object. */
export type ObjectList =
  | { readonly objects: JsonObject[] }
  | { readonly raw: JsonValue };

/**
 * Converts the elements of a list argument to model instances. If an element is not a dict, none of the elements are
 * converted. An empty iterable becomes an empty list.
 * @throws {ToolError} If an element does not validate, or the value is not iterable.
 */
export function objectList(model: Model, value: JsonValue): ObjectList {
  const objects = elements(value).filter((one) => one instanceof Map);
  return objects.length === elements(value).length
    ? { objects: objects.map((one) => validate(model, one)) }
    : { raw: value };
}

/** Returns the model instances of a list argument, or the raw value if the argument was not converted. */
export function listValue(list: ObjectList): JsonValue {
  return "objects" in list ? list.objects : list.raw;
}

/**
 * Returns the model instances of a list argument.
 * @param attribute The attribute that the original reads first; the error message names it.
 * @throws {ToolError} If the elements were not converted, with the message of Python's `AttributeError`.
 */
export function readObjects(
  list: ObjectList,
  attribute: string,
): readonly JsonObject[] {
  if ("objects" in list) return list.objects;
  throw new ToolError(
    `'${
      typeName(elements(list.raw)[0] ?? null)
    }' object has no attribute '${attribute}'`,
  );
}
