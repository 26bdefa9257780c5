// Puts text on the clipboard. Needs a key press or a click to be allowed.

/** Whether it worked. */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** For web views that offer no clipboard to pages of their own scheme. */
function copyBySelection(text: string): boolean {
  const before = document.activeElement;
  const holder = document.createElement("textarea");
  holder.value = text;
  holder.setAttribute("aria-hidden", "true");
  holder.className = "hidden-text";
  // Inside the open dialog, or its focus trap takes the selection away.
  (before?.closest("[role=dialog]") ?? document.body).append(holder);
  holder.select();
  const done = document.execCommand("copy");
  holder.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}
