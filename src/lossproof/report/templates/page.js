"use strict";
(() => {
  document.documentElement.classList.add("js");

  // A form's fields are named after the data attributes that they filter; "|" joins several values of one.
  // (None is called "dataset": a field hides its form's property of that name.)
  const fits = (form, data) =>
    Array.from(form.querySelectorAll("select")).every(
      (field) => !field.value || (data[field.name] || "").split("|").includes(field.value));

  // DataTables sorts, searches and tells screen readers; the rows are those of the page.
  const table = (element, form) => {
    const rows = new DataTable(element, {
      paging: false, autoWidth: false, order: [], layout: { topStart: null, topEnd: null, bottomStart: null, bottomEnd: null },
      language: { zeroRecords: "No row fits" },
    });
    rows.search.fixed("form", (text, data, index) => fits(form, rows.row(index).node().dataset));
    return {
      all: rows.rows().count(),
      apply: () => rows.search(form.elements.words.value).draw(),
      shown: () => rows.rows({ search: "applied" }).count(),
      unsort: () => rows.order([]),
    };
  };

  const pictures = (element, form) => {
    const every = Array.from(element.children);
    return {
      all: every.length,
      apply: () => {
        const words = form.elements.words.value.toLowerCase().split(/\s+/);
        every.forEach((one) => {
          const text = one.textContent.toLowerCase();
          one.hidden = !(fits(form, one.dataset) && words.every((word) => text.includes(word)));
        });
      },
      shown: () => every.filter((one) => !one.hidden).length,
      unsort: () => {},
    };
  };

  const filters = Array.from(document.querySelectorAll("form[data-filters]")).map((form) => {
    const parts = form.dataset.filters.split(" ").map((id) => document.getElementById(id)).filter(Boolean).map(
      (element) => ({ id: element.id, ...(element.tagName === "TABLE" ? table : pictures)(element, form) }));
    const apply = () => parts.forEach((part) => {
      part.apply();
      const status = document.querySelector(`[data-counts="${part.id}"]`);
      status.textContent = `${part.shown()} of ${part.all} ${status.dataset.noun}`;
    });
    const choose = (wanted) => {
      form.querySelectorAll("select, input").forEach((field) => { field.value = wanted[field.name] || ""; });
      apply();
    };
    form.addEventListener("input", apply);
    form.addEventListener("submit", (event) => event.preventDefault());
    form.addEventListener("reset", (event) => {
      event.preventDefault();
      parts.forEach((part) => part.unsort());
      choose({});
    });
    apply();
    return { form, choose, now: () => Object.fromEntries(new FormData(form)) };
  });

  const ledger = filters.find((one) => one.form.id === "filter");
  // An exhibit belongs to one paper: "sp/table_2".
  ledger.form.addEventListener("change", (event) => {
    const { paper, exhibit } = ledger.form.elements;
    if (event.target !== paper) { return; }
    const other = (name) => Boolean(paper.value && name && !name.startsWith(`${paper.value}/`));
    Array.from(exhibit.options).forEach((option) => { option.hidden = option.disabled = other(option.value); });
    if (other(exhibit.value)) { ledger.choose({ ...ledger.now(), exhibit: "" }); }
  });

  document.querySelectorAll('a[href="#ledger"]').forEach((link) => {
    link.addEventListener("click", () => {
      Array.from(ledger.form.elements.exhibit.options).forEach((option) => { option.hidden = option.disabled = false; });
      if (Object.keys(link.dataset).length) { ledger.choose({ ...link.dataset }); }
    });
  });

  document.addEventListener("keydown", (event) => {
    const words = ledger.form.elements.words;
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      words.focus();
    } else if (event.key === "Escape" && event.target.name === "words") {
      event.target.value = "";
      event.target.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });

  // On a phone the contents would fill the first screen.
  if (window.matchMedia("(max-width: 69.99rem)").matches) { document.querySelector("nav details").open = false; }

  // Paper shows everything: every row whatever is filtered, and what is folded. Afterwards all is as it was.
  let before = null;
  const print = () => {
    if (before) { return; }
    const folded = Array.from(document.querySelectorAll("details:not([open], .settings)"));
    before = { folded, chosen: filters.map((one) => one.now()) };
    folded.forEach((one) => { one.open = true; });
    filters.forEach((one) => one.choose({}));
  };
  const printed = () => {
    if (!before) { return; }
    before.folded.forEach((one) => { one.open = false; });
    filters.forEach((one, at) => one.choose(before.chosen[at]));
    before = null;
  };
  window.addEventListener("beforeprint", print);
  window.addEventListener("afterprint", printed);
  window.matchMedia("print").addEventListener("change", (event) => (event.matches ? print : printed)());
})();
