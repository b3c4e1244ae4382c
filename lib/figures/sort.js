/* What a click does in a table (this): on a column's header, its rows are put in the order of that column; once more,
   in the opposite one. Numbers go by size, whatever unit, sign or comma they are written with; n/a stays at the end. */
const header = event.target.closest("thead th");
if (header) {
  const upwards = header.ariaSort !== "ascending", rows = [...this.tBodies[0].rows];
  const said = row => row.cells[header.cellIndex].textContent.trim();
  const size = text => /^[<+−-]?[\d.,]+\s*[a-z%]*$/i.test(text) ? parseFloat(text.replace(/[<+,]/g, "").replace("−", "-")) : NaN;
  const place = text => !text || text === "n/a" ? 2 : Number.isNaN(size(text)) ? 1 : 0;
  const order = (a, b) => place(a) - place(b) || (upwards ? 1 : -1) * (place(a) ? a.localeCompare(b) : size(a) - size(b));
  rows.sort((a, b) => order(said(a), said(b))).forEach(row => this.tBodies[0].append(row));
  [...header.parentElement.cells].forEach(cell => { cell.ariaSort = null; });
  header.ariaSort = upwards ? "ascending" : "descending";
}
