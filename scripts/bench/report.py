"""The result as a table."""


def rows_of(table):
    return [f"  {name:38}" + "".join(f"{row[key]:10.3g}" if row[key] < 1000 else f"{row[key]:10.0f}"
                                     for key in ("median", "min", "max")) for name, row in table.items()]


def agreement(one):
    """Of one round: whose answers are ours."""
    lines = []
    for name, peer in one["peers"].items():
        ids = peer["ids"]
        line = f"{name}: {ids['same']} of {ids['pairs']} answers have our ids"
        if ids["margins_at_first_difference"]:
            line += "; the others first differ where its choice won by " + ", ".join(
                f"{m:.2g}" for m in ids["margins_at_first_difference"])
        elif ids["first_difference_at"]:
            line += f"; the others first differ at token {', '.join(map(str, ids['first_difference_at']))}"
        lines.append("  " + line)
    return lines


def nearness(result):
    lines = []
    for workload, programs in result["against_f32"].items():
        source = next(iter(programs.values()))["f32_ids_of"]
        lines += ["", f"bf16, {workload}, against the f32 ids of {source}: tokens alike from the start, same answers"]
        lines += [f"  {name:38}{one['tokens_alike']:10.2f}{one['same']:7} of {one['pairs']}"
                  for name, one in programs.items()]
    return lines


def verdicts(result):
    lines = ["", f"{'what is wanted':66}{'at least':>9}{'found':>8}"]
    for what, figure, least, held in result["bars"]:
        lines.append(f"  {what:64}{least:9.3g}" + ("          unmeasured" if held is None else
                                                   f"{figure:8.3g}  {'held' if held else 'NOT HELD'}"))
    return lines


def render(result):
    settings = result["settings"]
    lines = [f"# {result['date']}, {result['commit']}, {result['machine']['cpu']}, {result['machine']['cores']} cores, "
             f"{settings['threads']} threads, load average {result['load_average'][0]:.1f} before and "
             f"{result['load_average'][1]:.1f} after",
             f"# {result['command']}",
             f"# {settings['model']}: {settings['limit']} pairs with prompts of equal length, new tokens " +
             ", ".join(f"{name} {tokens}" for name, tokens in settings["workloads"].items()) +
             f"; rounds {settings['rounds']}; versions: " +
             ", ".join(f"{name} {version}" for name, version in result["versions"].items())]
    lines += [f"# {note}" for note in result["notes"]]
    for heading, tables in result["summary"].items():
        lines += ["", f"{heading:40}{'median':>10}{'min':>10}{'max':>10}"]
        for name, table in tables.items():
            lines += [name, *rows_of(table)]
        first = next(one for one in result["rounds"] if f"{one['dtype']}, {one['workload']}" == heading)
        lines += agreement(first)
    lines += nearness(result) + verdicts(result)
    return "\n".join(lines) + "\n"
