/** What a run's `config.yaml` says of who worked where. Of any trainer and version: what is not there is `null`. */

import { join } from "node:path";
import { Yaml } from "../../train/config/yaml_file.ts";
import { readTextIfThere } from "../../train/runs/storage.ts";

/** A config, as the viewer shows it. */
export interface ShownConfig {
  /** As it is on disk. */
  readonly text: string | null;
  readonly agent: string | null;
  /** A model's name, or the policy that trains. */
  readonly model: string | null;
  /** `generated retail`. */
  readonly world: string | null;
}

/** Reads the config of a run; one that is damaged is shown as it is. */
export async function readShownConfig(path: string): Promise<ShownConfig> {
  const name = join(path, "config.yaml");
  const text = await readTextIfThere(name) ?? null;
  const config = text === null ? {} : valueOf({ name, text });
  const model = sectionOf(config, "model");
  const data = sectionOf(config, "data");
  const world = [textIn(data, "source"), textIn(data, "domain")]
    .filter((part) => part !== null).join(" ");
  return {
    text,
    agent: textIn(config, "agent"),
    model: textIn(config, "policy") ?? textIn(model, "model") ??
      textIn(model, "name") ?? sizeOf(model),
    world: world === "" ? null : world,
  };
}

function valueOf(file: { name: string; text: string }): unknown {
  try {
    return new Yaml(file, "the config").value;
  } catch {
    return {};
  }
}

/** A policy that is trained from scratch has no name. */
function sizeOf(model: Readonly<Record<string, unknown>>): string | null {
  const { layers, dim } = model;
  return typeof layers === "number" && typeof dim === "number"
    ? `own policy, ${layers} × ${dim}`
    : null;
}

function sectionOf(
  value: unknown,
  key: string,
): Readonly<Record<string, unknown>> {
  const section = recordOf(value)[key];
  return recordOf(section);
}

function textIn(value: unknown, key: string): string | null {
  const text = recordOf(value)[key];
  return typeof text === "string" && text !== "" ? text : null;
}

function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}
