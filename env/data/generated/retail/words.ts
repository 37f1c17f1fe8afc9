/**
 * The vocabulary of the generated world. Lower case throughout, so that a name is the same characters in
 * a customer's mouth and in a row; every product ends in a noun of its own, so that its last word tells it
 * from all others.
 *
 * @module
 */

/** Given names. */
export const FIRST_NAMES = words(
  "ada ben cleo dina eli fay gus hana iris jon kaya leo mina ned otis pia quin rosa sam tess uma vera wes yana zeno abel bea cora dov elsa finn greta hugo ines jude kurt lena milo nora omri",
);

/** Family names. */
export const LAST_NAMES = words(
  "abbott baker castro dalton ekberg fisher gomez hale imai jensen keller lund marsh nolan ortiz parker quist rivers stone tanaka ulrich vance weber xavier young zimmer archer blum carver dixon ellis frost gray holt irving joyce kent larsen moss norton",
);

/** Streets, without their number. */
export const STREETS = words(
  "acorn birch canal dairy ember fern grove harbor ivy juniper kiln linden mill north orchard pine quarry ridge spring tower union valley willow yarrow",
).map((name) => `${name} street`);

/** Cities with their state. */
export const CITIES = [
  ["salem", "ma"],
  ["dayton", "oh"],
  ["fresno", "ca"],
  ["laredo", "tx"],
  ["tampa", "fl"],
  ["boise", "id"],
  ["wichita", "ks"],
  ["mesa", "az"],
  ["akron", "oh"],
  ["reno", "nv"],
  ["provo", "ut"],
  ["macon", "ga"],
  ["utica", "ny"],
  ["flint", "mi"],
  ["omaha", "ne"],
  ["duluth", "mn"],
] as const;

/** Kinds of product. */
export const PRODUCT_NAMES = [
  "oak stool",
  "wool scarf",
  "tin whistle",
  "bread knife",
  "rain jacket",
  "garden rake",
  "copper pan",
  "silk tie",
  "canvas tent",
  "pocket radio",
  "beach towel",
  "paper lantern",
  "leather belt",
  "chess board",
  "guitar strap",
  "picture frame",
  "soup bowl",
  "sun hat",
  "hand drum",
  "bath robe",
  "flower vase",
  "bird feeder",
  "door mat",
  "card wallet",
  "ink pen",
  "wind chime",
  "fruit basket",
  "travel pillow",
  "wood puzzle",
  "steel whisk",
  "tool box",
  "bike bell",
  "salt grinder",
  "floor rug",
  "ice bucket",
  "night light",
  "camp stove",
  "snow shovel",
  "photo album",
  "tea tray",
] as const;

/** Options of products, in the order in which a product gets them. */
export const OPTIONS = [
  ["color", ["red", "blue", "green", "black", "white", "yellow"]],
  ["size", ["small", "medium", "large"]],
  ["finish", ["matte", "glossy"]],
] as const;

/** Brands of credit cards. */
export const CARD_BRANDS = ["visa", "mastercard"] as const;

function words(text: string): readonly string[] {
  return text.split(" ");
}
