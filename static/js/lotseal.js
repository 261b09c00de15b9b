// Enhancement only: every page works without this file.
(() => {
  "use strict";
  const all = (selector) => document.querySelectorAll(selector);
  const lang = document.documentElement.lang.startsWith("zh") ? "zh-CN" : "en-GB";

  // Moments come in the zone of the service; the reader sees them in the own zone and finds UTC in the title.
  for (const time of all("time[datetime*=T]")) {
    const moment = new Date(time.dateTime);
    if (isNaN(moment)) continue;
    time.title = moment.toISOString().slice(0, 16).replace("T", " ") + " UTC";
    const said = (options) => new Intl.DateTimeFormat(lang, options);
    const day = said({ year: "numeric", month: "long", day: "numeric" }).format(moment);
    const clock = said({ hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZoneName: "short" });
    const part = Object.fromEntries(clock.formatToParts(moment).map(({ type, value }) => [type, value]));
    time.textContent = `${day} ${part.hour}:${part.minute} ${part.timeZoneName}`;
  }

  // Serials are grouped by five while they are typed, but never under a caret that stands inside.
  for (const input of all("input[data-serial]")) {
    input.addEventListener("input", (event) => {
      if (event.isComposing || input.selectionStart !== input.value.length) return;
      const typed = input.value.normalize("NFKC").toUpperCase().replace(/[\s-]/g, "");
      if (/^[0-9A-Z]*$/.test(typed)) input.value = typed.replace(/(.{5})(?=.)/g, "$1 ");
    });
  }

  for (const button of all("button[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const text = document.getElementById(button.dataset.copy).textContent.replace(/\s/g, "");
      await navigator.clipboard.writeText(text);
      const label = button.textContent;
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = label; }, 2000);
    });
  }

  // The question stands in the page's language; without this file the server's own check still holds.
  document.addEventListener("submit", (event) => {
    const question = event.submitter?.dataset.confirm || event.target.dataset.confirm;
    if (question && !confirm(question)) event.preventDefault();
  });

  if ("speechSynthesis" in window) {
    for (const button of all("button[data-read]")) {
      button.hidden = false;
      button.addEventListener("click", () => {
        const running = speechSynthesis.speaking;
        speechSynthesis.cancel();
        if (running) return;
        const speech = new SpeechSynthesisUtterance(document.getElementById(button.dataset.read).innerText);
        speech.lang = lang;
        speechSynthesis.speak(speech);
      });
    }
  }
})();
