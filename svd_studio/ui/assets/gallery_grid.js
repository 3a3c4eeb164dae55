// The rows of the Gallery that are in sight, and room for the others.
(() => {
  const { text, fill, element, made, write: put, state, gallery } = window.studio;
  const { loadMore, paintEmpty } = gallery;
  const find = (selector) => document.querySelector(selector);
  const ROW_GAP = 18, COLUMN_GAP = 14, CAPTION = 46, NARROWEST = 216, FEWEST = 2;
  const cards = new Map();  // id → element, of the rows in sight
  let columns = 1, rowHeight = 1;

  function measure() {
    const width = find(".gallery-grid").clientWidth;
    if (!width) return;
    columns = Math.max(FEWEST, Math.floor((width + COLUMN_GAP) / (NARROWEST + COLUMN_GAP)));
    const card = ((width - COLUMN_GAP * (columns - 1)) / columns) * (9 / 16) + CAPTION;
    rowHeight = card + ROW_GAP;
    const style = find(".gallery-grid").style;
    style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    style.gridAutoRows = card + "px";
    style.gap = `${ROW_GAP}px ${COLUMN_GAP}px`;
  }

  function paint() {
    if (!gallery.here) return;
    const grid = find(".gallery-grid"), rows = Math.ceil(gallery.clips.length / columns);
    const top = grid.getBoundingClientRect().top, extra = innerHeight;
    const first = Math.min(rows, Math.max(0, Math.floor((-top - extra) / rowHeight)));
    const last = Math.max(first, Math.min(rows, Math.ceil((innerHeight - top + extra) / rowHeight)));
    grid.style.paddingTop = first * rowHeight + "px";
    grid.style.paddingBottom = (rows - last) * rowHeight + "px";
    const shown = gallery.clips.slice(first * columns, last * columns), kept = new Set(shown.map((clip) => clip.id));
    for (const [id, card] of cards) if (!kept.has(id)) { card.remove(); cards.delete(id); }
    shown.forEach((clip, at) => {
      const card = cards.get(clip.id) || makeCard(clip);
      paintCard(card, clip);
      if (grid.children[at] !== card) grid.insertBefore(card, grid.children[at] || null);
    });
    paintEmpty();
    if (last >= rows - 1) loadMore();
  }

  let painting = false;
  function paintSoon() {
    if (painting || !gallery.here) return;
    painting = true;
    requestAnimationFrame(() => { painting = false; paint(); });
  }
  addEventListener("scroll", paintSoon, { passive: true });
  addEventListener("resize", () => { if (gallery.here) { measure(); paint(); } });

  function makeCard(clip) {
    const card = made("li", "gallery-card"), open = made("button", "gallery-open"), star = made("button", "icon gallery-star");
    card.dataset.clip = clip.id;
    open.type = star.type = "button";
    star.dataset.do = "star";
    if (clip.poster) open.append(Object.assign(element("img", ""), { src: clip.poster, alt: "", loading: "lazy", decoding: "async", draggable: false }));
    open.append(made("span", "gallery-length"), made("span", "gallery-gone"));
    const caption = made("div", "gallery-caption");
    caption.append(made("p", "gallery-title"), made("p", "gallery-about"));
    card.append(open, star, caption);
    cards.set(clip.id, card);
    return card;
  }

  function paintCard(card, clip) {
    const when = moment(clip.created), about = [clip.rating && "★".repeat(clip.rating), clip.differs, when, clip.prompt].filter(Boolean).join(" · ");
    put(card, ".gallery-title", clip.title);
    put(card, ".gallery-about", about);
    put(card, ".gallery-length", fill(text("page.gallery.seconds"), { n: clip.seconds.toFixed(1) }));
    put(card, ".gallery-gone", clip.here ? "" : text("page.gallery.gone"));
    card.classList.toggle("is-gone", !clip.here);
    card.querySelector(".gallery-caption").title = clip.prompt ? `${clip.title}\n${clip.prompt}` : clip.title;
    card.querySelector(".gallery-open").setAttribute("aria-label", [clip.title, clip.differs, when].filter(Boolean).join(", "));
    paintStar(card.querySelector(".gallery-star"), clip);
  }

  function paintStars(clip) {
    if (cards.has(clip.id)) paintStar(cards.get(clip.id).querySelector(".gallery-star"), clip);
    if (gallery.current === clip.id) paintStar(find(".gallery-detail .gallery-star"), clip);
  }

  function paintStar(button, clip) {
    button.hidden = gallery.filter.trash;
    button.setAttribute("aria-pressed", String(clip.starred));
    button.title = text(clip.starred ? "page.gallery.unstar" : "page.gallery.star");
    button.setAttribute("aria-label", `${button.title}: ${clip.title}`);
  }

  function moment(seconds) {
    const date = new Date(seconds * 1000), now = new Date();
    const today = date.toDateString() === now.toDateString();
    const day = { day: "numeric", month: "short", year: date.getFullYear() === now.getFullYear() ? undefined : "numeric" };
    return date.toLocaleString(state.language, { ...(today ? {} : day), hour: "2-digit", minute: "2-digit" });
  }

  function focusCard(at) {
    const clip = gallery.clips[at];
    if (!clip) return;
    const grid = find(".gallery-grid"), top = grid.getBoundingClientRect().top + scrollY + Math.floor(at / columns) * rowHeight;
    if (top < scrollY || top + rowHeight > scrollY + innerHeight) scrollTo(0, top - (innerHeight - rowHeight) / 2);
    paint();
    cards.get(clip.id)?.querySelector(".gallery-open").focus({ preventScroll: true });
  }

  const ways = { ArrowLeft: () => -1, ArrowRight: () => 1, ArrowUp: () => -columns, ArrowDown: () => columns };
  Object.assign(gallery, { cards, measure, paint, paintStar, paintStars, focusCard, way: (key) => ways[key]?.() });
})();
