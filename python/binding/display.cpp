// Listings of graphs, drawings and the progress bar.
#include "croton/debug/drawing/figure.hpp"
#include "croton/debug/progress.hpp"
#include "croton/graph/listing.hpp"
#include "croton/graph/text.hpp"
#include "python/binding/convert.hpp"

namespace croton::python {

namespace {
void bind_listings(nb::module_& m) {
    m.def(
        "debugprint",
        [](nb::handle outputs, int depth, bool ids, bool types, bool sites, bool stop_on_name) {
            ListingOptions options;
            options.depth = depth < 0 ? 1000000 : depth;
            options.print_ids = ids;
            options.print_type = types;
            options.print_sites = sites;
            options.stop_on_name = stop_on_name;
            return debugprint(to_variables(outputs, {}), options);
        },
        nb::arg("outputs"), nb::arg("depth") = -1, nb::arg("ids") = true,
        nb::arg("print_type") = false, nb::arg("print_sites") = true,
        nb::arg("stop_on_name") = false, "A tree of the graph as text, one line a value.");
    m.def(
        "pp", [](nb::handle v) { return pp(to_variable(v, {})); }, nb::arg("variable"),
        "The expression as a formula.");
    m.def(
        "graph_text",
        [](nb::handle outputs, nb::handle inputs, const std::string& name) {
            PrintOptions options;
            if (!inputs.is_none()) options.inputs = to_variables(inputs, {});
            options.name = name;
            return print(to_variables(outputs, {}), options);
        },
        nb::arg("outputs"), nb::arg("inputs") = nb::none(), nb::arg("name") = "graph",
        "The text form of a graph, which reads back.");
    m.def(
        "same_graph",
        [](nb::handle a, nb::handle b) {
            return same_graph(to_variables(a, {}), to_variables(b, {}));
        },
        nb::arg("a"), nb::arg("b"), "Whether two graphs have the same structure.");
}

std::vector<double> numbers(nb::handle value) { return to_array(value).to_vector<double>(); }

std::optional<drawing::Range> range_of(nb::handle value) {
    if (value.is_none()) return {};
    auto ends = numbers(value);
    if (ends.size() != 2) fail(ErrorKind::Value, "a range has two ends, not ", ends.size());
    return drawing::Range{ends[0], ends[1]};
}

// {name: y}, {name: (x, y)} or, with marks at the points, {name: (x, y, True)}
std::vector<Series> to_series(nb::handle value) {
    std::vector<Series> result;
    for (auto& [name, data] : to_pairs(value, "series")) {
        std::string title = nb::cast<std::string>(name);
        size_t parts = PyTuple_Check(data.ptr()) ? nb::len(data) : 0;
        if (parts == 2 || parts == 3)
            result.emplace_back(title, numbers(data[0]), numbers(data[1]),
                                parts == 3 && nb::cast<bool>(data[2]));
        else
            result.emplace_back(title, numbers(data));
    }
    return result;
}

ColourMap colours_named(const std::string& name) {
    static constexpr std::pair<std::string_view, ColourMap> maps[] = {
        {"grey", ColourMap::Grey},
        {"paper", ColourMap::Paper},
        {"diverging", ColourMap::Diverging},
        {"heat", ColourMap::Heat},
    };
    for (auto [known, map] : maps)
        if (known == name) return map;
    fail(ErrorKind::Value, "colours takes grey, paper, diverging or heat, not '", name, "'");
}

void bind_figure(nb::module_& m) {
    nb::class_<Figure>(m, "Figure", "A page of charts and picture grids, saved as SVG or PNG.")
        .def(nb::init<int, int, int>(), nb::arg("width"), nb::arg("height"), nb::arg("columns") = 0)
        .def(
            "lines",
            [](Figure& figure, const std::string& title, nb::handle series, const std::string& x,
               const std::string& y, bool x_log, bool y_log, nb::handle y_range) -> Figure& {
                LineOptions options;
                options.x_label = x;
                options.y_label = y;
                options.x_log = x_log;
                options.y_log = y_log;
                options.y_range = range_of(y_range);
                return figure.lines(title, to_series(series), options);
            },
            nb::arg("title"), nb::arg("series"), nb::arg("x_label") = "", nb::arg("y_label") = "",
            nb::arg("x_log") = false, nb::arg("y_log") = false, nb::arg("y_range") = nb::none(),
            nb::rv_policy::reference,
            "A line chart of a dictionary from names to y, (x, y) or, with marks, (x, y, True).")
        .def(
            "images",
            [](Figure& figure, const std::string& title, nb::handle images, int columns,
               std::vector<std::string> captions, const std::string& colours, nb::handle range,
               bool each_own_range, nb::handle marked, bool scale) -> Figure& {
                ImageOptions options;
                options.colours = colours_named(colours);
                options.range = range_of(range);
                options.each_own_range = each_own_range;
                options.scale = scale;
                if (!marked.is_none())
                    for (double mark : numbers(marked)) options.marked.push_back(mark != 0);
                return figure.images(title, to_array(images), columns, std::move(captions),
                                     options);
            },
            nb::arg("title"), nb::arg("images"), nb::arg("columns"),
            nb::arg("captions") = std::vector<std::string>{}, nb::arg("colours") = "grey",
            nb::arg("range") = nb::none(), nb::arg("each_own_range") = false,
            nb::arg("marked") = nb::none(), nb::arg("scale") = false, nb::rv_policy::reference,
            "Images of an array (n, height, width); colours: grey, paper, diverging or heat.")
        .def(
            "save",
            [](const Figure& figure, nb::handle path) { figure.save(nb::str(path).c_str()); },
            nb::arg("path"), "Writes .svg or .png by the path's ending.")
        .def("svg", &Figure::svg)
        .def("png", [](const Figure& figure) {
            std::string bytes = figure.png();
            return nb::bytes(bytes.data(), bytes.size());
        });
}

void bind_progress(nb::module_& m) {
    nb::class_<Progress>(m, "Progress",
                         "A progress bar for terminals, or now and then a line in files.")
        .def(nb::init<int64_t, std::string>(), nb::arg("total"), nb::arg("title") = "")
        .def(
            "advance",
            [](Progress& p, int64_t steps, const std::string& message) {
                p.advance(steps, message);
            },
            nb::arg("steps") = 1, nb::arg("message") = "", "So many steps more are done.")
        .def(
            "finish", [](Progress& p, const std::string& message) { p.finish(message); },
            nb::arg("message") = "", "Writes the last state with the time taken.")
        .def_prop_ro("done", &Progress::done)
        .def_prop_ro("elapsed", &Progress::elapsed)
        .def("__enter__", [](nb::handle self) { return nb::borrow(self); })
        .def(
            "__exit__",
            [](Progress& p, nb::handle type, nb::handle, nb::handle) {
                if (type.is_none()) p.finish();
            },
            nb::arg("type").none(), nb::arg("value").none(), nb::arg("trace").none());
}
}  // namespace

void bind_display(nb::module_& m) {
    bind_listings(m);
    bind_figure(m);
    bind_progress(m);
}

}  // namespace croton::python
