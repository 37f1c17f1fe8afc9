// @ts-check
/** The fields of a filter. For browsers, the server replaces this module with generated source (see page_files.ts). */

import { FILTER_FIELDS } from "../../../train/runs/episode_facts.ts";

/** @type {Readonly<Record<string, { is: "number" | "text" | "list", choice?: string }>>} */
export const FIELDS = FILTER_FIELDS;
