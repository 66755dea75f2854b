// The field in which messages are written, with the signs of typing that it gives.

/** While somebody types, others are told again this often, and told of the end after such a pause. */
const TYPING_EVERY_MS = 2_000;
const TYPING_PAUSE_MS = 5_000;

export class Composer {
  #form;
  #field;
  #on;
  #subject = '';
  #drafts = new Map();
  #edited = null;
  #toldAt = 0;
  #pause;

  /**
   * `on.send` gets a text, `on.edit` a message and its new text, `on.typing` whether somebody types; `on.editLast` is
   * called to change what one wrote last.
   */
  constructor(form, on) {
    this.#form = form;
    this.#field = form.querySelector('textarea');
    this.#on = on;
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      this.#submit();
    });
    form.querySelector('.editing button').addEventListener('click', () => this.clear());
    this.#field.addEventListener('input', () => this.#tellTyping(this.#field.value !== ''));
    this.#field.addEventListener('keydown', (event) => this.#keydown(event));
  }

  /** Is for another conversation from now on: brings its draft and keeps that of the one before. */
  open(subject, label) {
    if (subject === this.#subject) return;
    this.#drafts.set(this.#subject, this.#edited ? '' : this.#field.value);
    this.#subject = subject;
    // Whoever saw us type there stops seeing it soon.
    this.#toldAt = 0;
    this.clear();
    this.#field.value = this.#drafts.get(subject) ?? '';
    this.#field.ariaLabel = label;
    this.#field.placeholder = label;
  }

  focus() {
    this.#field.focus();
  }

  /** Puts a message into the field to be changed. */
  edit(message) {
    this.#edited = message;
    this.#field.value = message.text;
    this.#form.querySelector('.editing').hidden = false;
    this.focus();
  }

  clear() {
    this.#edited = null;
    this.#field.value = '';
    this.#form.querySelector('.editing').hidden = true;
    this.#tellTyping(false);
  }

  #submit() {
    const text = this.#field.value.trim();
    const edited = this.#edited;
    if (!text) return;
    this.clear();
    if (edited) this.#on.edit(edited, text);
    else this.#on.send(text);
    this.focus();
  }

  #keydown(event) {
    // While an input method composes, the key belongs to it.
    if (event.isComposing) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      this.#submit();
    } else if (event.key === 'Escape' && this.#edited) {
      event.stopPropagation();
      this.clear();
    } else if (event.key === 'ArrowUp' && this.#field.value === '') {
      event.preventDefault();
      this.#on.editLast();
    }
  }

  #tellTyping(isTyping) {
    clearTimeout(this.#pause);
    const now = Date.now();
    if (!isTyping) {
      if (this.#toldAt) this.#on.typing(false);
      this.#toldAt = 0;
      return;
    }
    if (now - this.#toldAt > TYPING_EVERY_MS) {
      this.#toldAt = now;
      this.#on.typing(true);
    }
    this.#pause = setTimeout(() => this.#tellTyping(false), TYPING_PAUSE_MS);
  }
}
