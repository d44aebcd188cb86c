// Reading arguments from the fields of a form. Optional arguments that are left
// empty are left out, so that the code shown holds only what was given.
import { parseJSON } from "./format.js";

/** A field holds something that cannot be sent. */
export class FieldError extends Error {
  constructor(field, message) {
    super(message);
    this.field = field;
  }
}

export class Fields {
  constructor(form) {
    this.form = form;
  }

  /** A field of the form, or one that the forms of a panel share. */
  field(name) {
    return this.form.elements.namedItem(name) ?? this.form.parentElement.querySelector(`[data-shared="${name}"]`);
  }

  text(name) {
    return this.field(name).value;
  }

  optionalText(name) {
    const value = this.text(name);
    return value === "" ? {} : { [name]: value };
  }

  optionalInteger(name) {
    const value = this.text(name).trim();
    if (value === "") return {};
    if (!/^[+-]?\d+$/.test(value)) throw new FieldError(this.field(name), `${name} is a whole number or empty`);
    const number = Number(value);
    return { [name]: Number.isSafeInteger(number) ? number : BigInt(value) };
  }

  /** Texts separated by blanks. */
  list(name) {
    return this.text(name).split(/\s+/).filter(Boolean);
  }

  /** Text as it is, or the JSON value that it spells if the form says so. */
  json(name) {
    const value = this.text(name);
    if (this.text("kind") === "text") return value;
    try {
      return parseJSON(value);
    } catch (error) {
      throw new FieldError(this.field(name), `${name} is not JSON: ${error.message}`);
    }
  }
}
