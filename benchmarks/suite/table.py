"""Tables of the results, as markdown."""

BEGIN, END = "<!-- peers: written by benchmarks/run.py -->", "<!-- peers: end -->"


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def spread(values):
    """Half of the distance between the quartiles, as a share of the median."""
    ordered, quarter = sorted(values), len(values) // 4
    return (ordered[-quarter - 1] - ordered[quarter]) / 2 / max(median(values), 1e-12)


def seconds(cell, threads):
    """One thread: processor time, which other work on the machine does not add to. More: time of the clock."""
    column = 1 if threads == 1 else 0
    return [sample[column] for sample in cell["samples"]]


def typical(cell, threads):
    """Seconds of a call: the median; beside a busy neighbour the mean, for a call that waits for a thread without
    a core takes many times as long as most."""
    times = seconds(cell, threads)
    return sum(times) / len(times) if cell.get("busy") else median(times)


def first(cell, kind, threads):
    """Time to build and run once, less one call."""
    taken = cell.get("first" if kind == "cold" else "warm")
    if not taken:
        return None
    clock = "cpu" if threads == 1 else "wall"
    return max(taken[clock] - typical(cell, threads), 0)


def human(value):
    if value is None:
        return "-"
    for unit, scale in (("s", 1), ("ms", 1e-3), ("us", 1e-6)):
        if value >= scale:
            return f"{value / scale:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def failed(cell):
    if "error_text" in cell:
        return cell["error_text"]
    if not cell.get("agrees", True):
        return f"wrong by {cell['error']:.1e}"
    return None


def line_of(row, threads, peer, cell):
    head = f"{row['name']:17} {threads} {peer:14}"
    if failed(cell):
        return f"{head} {failed(cell)[:160]}"
    times = seconds(cell, threads)
    return (
        f"{head} {human(typical(cell, threads)):>9} +-{100 * spread(times):3.0f} %  cold {human(first(cell, 'cold', threads)):>8}  "
        f"warm {human(first(cell, 'warm', threads)):>8}  memory {cell['run_peak_mb']:7.1f} MB"
    )


def share_of_limit(row, threads, machine, time):
    limit, able = row["limit"], machine.get(str(threads))
    if not limit or not able:
        return "-"
    needed = limit.get("bytes", 0) / (able["copy"] * 1e9)
    needed = max(needed, limit.get("flops", 0) / (able[limit.get("type", "float32")] * 1e9))
    return f"{100 * needed / time:.0f} %"


def best_peer(cells, value):
    found = [(value(c), p) for p, c in cells.items() if p != "croton" and not failed(c) and value(c) is not None]
    return min(found) if found else (None, "-")


def cells_of(results, row, threads):
    prefix = f"{row['name']}|{threads}|"
    return {k[len(prefix) :]: c for k, c in results["cells"].items() if k.startswith(prefix)}


def ratio(own, other):
    if own is None or other is None:
        return "-"
    value = own / max(other, 1e-12)
    return f"**{value:.2f}**" if value <= 1 else f"{value:.2f}"


def overview(results, threads):
    lines = [
        "| row | Croton | spread | best peer | ratio | share of the limit | cold, ratio | warm | memory, ratio |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in results["rows"]:
        cells = cells_of(results, row, threads)
        if "croton" not in cells:
            continue
        own, label = cells["croton"], f"{row['number']}. {row['title']}"
        if failed(own):
            lines.append(f"| {label} | {failed(own)[:80]} | | | | | | | |")
            continue
        times = seconds(own, threads)
        own_time = typical(own, threads)
        time, peer = best_peer(cells, lambda c: typical(c, threads))
        compilers = {p: c for p, c in cells.items() if p not in ("numpy", "torch")}
        cold, cold_peer = best_peer(compilers, lambda c: first(c, "cold", threads))
        memory, memory_peer = best_peer(cells, lambda c: max(c["run_peak_mb"], 0.5))
        own_memory = max(own["run_peak_mb"], 0.5)
        lines.append(
            f"| {label} | {human(own_time)} | {100 * spread(times):.0f} % | {human(time)} ({peer}) | "
            f"{ratio(own_time, time)} | {share_of_limit(row, threads, results['machine'], own_time)} | "
            f"{human(first(own, 'cold', threads))}, {ratio(first(own, 'cold', threads), cold)} ({cold_peer}) | "
            f"{human(first(own, 'warm', threads))} | "
            f"{own_memory:.1f} MB, {ratio(own_memory, memory)} ({memory_peer}) |"
        )
    return lines


def every_peer(results, threads, value):
    from suite.peers import PEERS

    lines = ["| row | " + " | ".join(PEERS) + " |", "|---" * (len(PEERS) + 1) + "|"]
    failures = []
    for row in results["rows"]:
        cells = cells_of(results, row, threads)
        if not cells:
            continue
        texts = []
        for peer in PEERS:
            cell = cells.get(peer)
            if cell is None:
                texts.append("")
            elif failed(cell):
                failures.append(f"{row['name']}, {peer}: {failed(cell)[:150]}".replace("\n", " "))
                texts.append("failed")
            else:
                texts.append(value(cell, threads))
        lines.append(f"| {row['name']} | " + " | ".join(texts) + " |")
    return lines, failures


def versions(results):
    found = {}
    for key, cell in results["cells"].items():
        if "version" in cell:
            found[key.split("|")[2]] = cell["version"]
    return ", ".join(f"{peer} {version}" for peer, version in found.items())


def markdown(results):
    machine = results["machine"]
    loads = [c["load"] for c in results["cells"].values() if "load" in c]
    lines = [
        f"Machine: {machine['name']} with {machine['vectors']}, {machine['cores']} cores, {machine['system']}; commit "
        f"{machine['commit']}. {versions(results)}.",
    ]
    for threads in ("1", "2"):
        able = machine[threads]
        lines.append(
            f"Measured limits, {threads} thread{'s' if threads == '2' else ''}: copy {able['copy']} GB/s (read + written), "
            f"read {able['read']} GB/s, {able['float32']} GFLOP/s in float32, {able['float64']} in float64."
        )
    lines += [
        f"The load of the machine was {min(loads):.1f} to {max(loads):.1f} while this ran (other work beside: trust ratios "
        "above 20 %, not figures). One thread: processor time; two: the clock. Spread: half the distance of the quartiles. Times are medians, in row 17 means. "
        "Cold: build, compile and first call with an empty cache, less one call; warm: the same in a new process. "
        "Memory: the peak above what import and data take, code not counted. A ratio below 1 is Croton's.",
    ]
    cpp = results.get("scalar_cpp")
    if cpp:
        lines.append(f"Row 1 from C++: {cpp['processor_ns']:.0f} ns a call.")
    if results.get("imports"):
        text = ", ".join(f"{peer} {human(time)}" for peer, time in results["imports"].items())
        lines.append(f"Import in a new process (processor time; all but croton alone import NumPy, too): {text}.")
    for threads in (1, 2):
        table = overview(results, threads)
        if len(table) == 2:
            continue
        lines += ["", f"### {threads} thread{'s' if threads > 1 else ''}", "", *table]
        timed, failures = every_peer(results, threads, lambda c, t: human(typical(c, t)))
        lines += ["", "Time of a call in each peer:", "", *timed]
        colds, _ = every_peer(
            results, threads, lambda c, t: f"{human(first(c, 'cold', t))} / {human(first(c, 'warm', t))}"
        )
        lines += ["", "Time to compile, cold / warm:", "", *colds]
        memories, _ = every_peer(results, threads, lambda c, t: f"{c['run_peak_mb']:.1f}")
        lines += ["", "Peak memory, MB:", "", *memories]
        faults, _ = every_peer(results, threads, lambda c, t: f"{c['page_faults']:.0f}" if "page_faults" in c else "-")
        lines += ["", "Page faults of a call (each costs 0.1 to 0.7 us, in the time of the call):", "", *faults]
        if failures:
            lines += ["", "Failed: " + "; ".join(failures) + "."]
    return "\n".join(lines) + "\n"


def insert(path, text):
    old = path.read_text()
    if BEGIN not in old:
        old += f"\n## Beside peers\n\n{BEGIN}\n{END}\n"
    head, rest = old.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    path.write_text(f"{head}{BEGIN}\n{text}{END}{tail}")
