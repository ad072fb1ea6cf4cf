/* Which of the next rows of a layer are put with nothing to decide? Puts them; whatever takes thought is left to the loop in
 * rootfs.py. Which number has a path, and what goes with a folder? And what do rows of one path weigh together, as dive counts?
 *
 * A row is plain if it is no hard link and no mark, lies in a folder that is there, and takes nobody's place, or that of one
 * row of a lower layer that is no folder. The first row that is anything else ends the run, and the loop has the same state
 * before it. So there is one stacker, and this is a shorter way through its commonest part: without it, the answers are the
 * same (tests/stacking/test_compiled.py).
 *
 * Stable ABI of Python 3.11. Every number that comes from a column is checked before it is used as a place in another.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>

#ifndef LAYERSCOPE_SOURCE
#define LAYERSCOPE_SOURCE "" /* digest of this file */
#endif

enum { FILE_ = 0, DIRECTORY = 1, HARDLINK = 3, FIFO = 6 }; /* as in model.Kind: what comes behind FIFO is put nowhere */
enum { REPLACED = 1 }; /* as in model.Fate */
static const char AUFS[] = ".wh..wh.";

/* Columns of the stack, in the order of the arguments: of bytes, and of numbers. */
enum { KINDS, FATES, NUMBERS, ENDED, SUCCESSORS, OUSTED, TOPS, COLUMNS };

typedef struct {
    Py_buffer columns[COLUMNS];
    PyObject *children; /* folder -> list of what is in it */
    PyObject *folder, *inside; /* of the row before, borrowed, and the list of what is in it */
    int careful; /* whether names of the folder at hand have to be looked at */
    int implied; /* whether folders may be there that no row lists */
    int position;
    Py_ssize_t start; /* first row of the layer */
} Stack;

static int *
numbers_of(Stack *self, int column)
{
    return self->columns[column].buf;
}

static unsigned char *
bytes_of(Stack *self, int column)
{
    return self->columns[column].buf;
}

static int
begins_as_aufs(PyObject *path)
{
    return PyBytes_Size(path) >= (Py_ssize_t)sizeof AUFS - 1 && memcmp(PyBytes_AsString(path), AUFS, sizeof AUFS - 1) == 0;
}

/* Go to the folder that a row is in: 1 if it is there, 0 if not, -1 with an exception. */
static int
enter(Stack *self, PyObject *folder)
{
    if (folder == self->folder)
        return 1;
    self->inside = PyDict_GetItemWithError(self->children, folder);
    if (self->inside == NULL || !PyList_Check(self->inside) || !PyBytes_Check(folder))
        return PyErr_Occurred() ? -1 : 0;
    self->folder = folder;
    self->careful = PyBytes_Size(folder) == 0 || begins_as_aufs(folder);
    return 1;
}

/* Whether a row is of a lower layer, and nothing can be in it. */
static int
gives_way(Stack *self, int old)
{
    return old < self->start && bytes_of(self, KINDS)[old] != DIRECTORY;
}

/* Make a path a folder, with nothing in it. */
static int
open_folder(Stack *self, PyObject *path)
{
    PyObject *empty = PyList_New(0);
    int failed = empty == NULL || PyDict_SetItem(self->children, path, empty) < 0;
    Py_XDECREF(empty);
    return failed ? -1 : 0;
}

/* Put a row: 1 if that is done, 0 if it is not plain and nothing was done, -1 with an exception. */
static int
put_one(Stack *self, Py_ssize_t row, PyObject *path, PyObject *folder)
{
    int kind = bytes_of(self, KINDS)[row], number = numbers_of(self, NUMBERS)[row];
    if (kind == HARDLINK || kind > FIFO || number < 0 || number >= self->columns[TOPS].len / (Py_ssize_t)sizeof(int))
        return 0;
    int entered = enter(self, folder);
    if (entered <= 0)
        return entered;
    if (!PyBytes_Check(path) || (self->careful && (PyBytes_Size(path) == 0 || begins_as_aufs(path))))
        return 0;

    int *top = numbers_of(self, TOPS) + number, old = *top;
    if (old >= row)
        return 0;
    int is_folder = 0;
    if (kind == DIRECTORY || (old < 0 && self->implied)) {
        is_folder = PyDict_Contains(self->children, path);
        if (is_folder < 0)
            return -1;
    }
    if (old < 0 ? is_folder && kind != DIRECTORY : kind == DIRECTORY ? !is_folder : !gives_way(self, old))
        return 0;
    if (old < 0 && !is_folder) {
        if (PyList_Append(self->inside, path) < 0 || (kind == DIRECTORY && open_folder(self, path) < 0))
            return -1;
    }
    else if (old >= 0) {
        bytes_of(self, FATES)[old] = REPLACED;
        numbers_of(self, ENDED)[old] = self->position;
        if (kind != DIRECTORY) {
            numbers_of(self, SUCCESSORS)[old] = (int)row;
            numbers_of(self, OUSTED)[row] = old;
        }
    }
    *top = (int)row;
    return 1;
}

/* Whether the columns are as long as the stack has rows, and of the right type. */
static int
is_sound(Stack *self, Py_ssize_t rows)
{
    Py_ssize_t all = self->columns[KINDS].len;
    int sound = self->start >= 0 && self->start <= all && rows <= all - self->start && self->columns[FATES].len == all;
    for (int column = NUMBERS; column < COLUMNS; column++)
        sound = sound && self->columns[column].itemsize == (Py_ssize_t)sizeof(int)
            && (column == TOPS || self->columns[column].len / (Py_ssize_t)sizeof(int) == all);
    return sound;
}

static PyObject *
put(PyObject *module, PyObject *args)
{
    PyObject *paths, *folders;
    Py_ssize_t at, taken = -1;
    Stack self;
    (void)module;
    memset(&self, 0, sizeof self);
    Py_buffer *columns = self.columns;
    if (!PyArg_ParseTuple(args, "O!O!nnipO!y*w*y*w*w*w*w*:put", &PyList_Type, &paths, &PyList_Type, &folders, &at, &self.start,
                          &self.position, &self.implied, &PyDict_Type, &self.children, &columns[KINDS], &columns[FATES],
                          &columns[NUMBERS], &columns[ENDED], &columns[SUCCESSORS], &columns[OUSTED], &columns[TOPS]))
        return NULL;
    if (at < 0 || PyList_Size(folders) != PyList_Size(paths) || !is_sound(&self, PyList_Size(paths)))
        PyErr_SetString(PyExc_ValueError, "columns that do not belong together");
    else {
        int done = 1;
        for (; done > 0 && at < PyList_Size(paths); at += done > 0)
            done = put_one(&self, self.start + at, PyList_GetItem(paths, at), PyList_GetItem(folders, at));
        taken = done < 0 ? -1 : at;
    }
    for (int column = 0; column < COLUMNS; column++)
        PyBuffer_Release(&columns[column]);
    return taken < 0 ? NULL : PyLong_FromSsize_t(taken);
}

/* A table of numbers of paths: a power of two of them, -1 where there is none. A path's place is what its hash says, or behind. */
typedef struct {
    PyObject *paths; /* by number */
    Py_buffer slots;
} Table;

static int
is_table(Table *self)
{
    size_t count = (size_t)self->slots.len / sizeof(int);
    return self->slots.itemsize == (Py_ssize_t)sizeof(int) && count > 0 && (count & (count - 1)) == 0;
}

static int
is_equal(PyObject *one, PyObject *other)
{
    if (one == other)
        return 1;
    if (!PyBytes_CheckExact(one) || !PyBytes_CheckExact(other) || PyBytes_Size(one) != PyBytes_Size(other))
        return 0;
    return memcmp(PyBytes_AsString(one), PyBytes_AsString(other), (size_t)PyBytes_Size(one)) == 0;
}

/* Return the slot of a path, or the free one that is to be its; NULL with an exception if there is neither. */
static int *
slot_of(Table *self, PyObject *path)
{
    int *slots = self->slots.buf;
    size_t mask = (size_t)self->slots.len / sizeof(int) - 1;
    Py_ssize_t known = PyList_Size(self->paths);
    if (!PyBytes_CheckExact(path)) {
        PyErr_SetString(PyExc_TypeError, "paths are bytes");
        return NULL;
    }
    size_t place = (size_t)PyObject_Hash(path);
    for (size_t step = 0; step <= mask; step++) {
        int *slot = slots + ((place + step) & mask);
        if (*slot < 0)
            return slot;
        PyObject *other = *slot < known ? PyList_GetItem(self->paths, *slot) : NULL;
        if (other == NULL || !PyBytes_CheckExact(other))
            break;
        if (is_equal(other, path))
            return slot;
    }
    PyErr_SetString(PyExc_ValueError, "a table that does not belong to its paths, or is full");
    return NULL;
}

/* Number the path of each row. A layer that stores another's files again has them in the same order: behind a row whose path
 * was there before, it is looked whether the next row's is the one that stood behind that. */
static int
fill_table(Table *self, int *numbers, Py_ssize_t count)
{
    Py_ssize_t next = 0;
    for (Py_ssize_t row = 0; row < count; row++) {
        PyObject *path = PyList_GetItem(self->paths, row);
        if (next < row && is_equal(PyList_GetItem(self->paths, next), path))
            numbers[row] = numbers[next];
        else {
            int *slot = slot_of(self, path);
            if (slot == NULL)
                return 0;
            if (*slot < 0)
                *slot = (int)row;
            numbers[row] = *slot;
        }
        if (numbers[row] < row)
            next = numbers[row] + 1;
    }
    return 1;
}

static PyObject *
number(PyObject *module, PyObject *args)
{
    Table self;
    Py_buffer numbers;
    int done = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!w*w*:number", &PyList_Type, &self.paths, &self.slots, &numbers))
        return NULL;
    Py_ssize_t count = PyList_Size(self.paths);
    if (!is_table(&self) || numbers.itemsize != (Py_ssize_t)sizeof(int) || numbers.len / (Py_ssize_t)sizeof(int) != count)
        PyErr_SetString(PyExc_ValueError, "columns that do not belong together");
    else
        done = fill_table(&self, numbers.buf, count);
    PyBuffer_Release(&self.slots);
    PyBuffer_Release(&numbers);
    return done ? Py_BuildValue("") : NULL;
}

static PyObject *
seek(PyObject *module, PyObject *args)
{
    Table self;
    PyObject *path;
    int *slot = NULL, found = -1;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!y*O:seek", &PyList_Type, &self.paths, &self.slots, &path))
        return NULL;
    if (!is_table(&self))
        PyErr_SetString(PyExc_ValueError, "columns that do not belong together");
    else if ((slot = slot_of(&self, path)) != NULL)
        found = *slot;
    PyBuffer_Release(&self.slots);
    return slot == NULL ? NULL : PyLong_FromLong(found);
}

/* Take the last of a list: a new reference, NULL with an exception. */
static PyObject *
take_last(PyObject *list)
{
    Py_ssize_t last = PyList_Size(list) - 1;
    PyObject *item = PyList_GetItem(list, last);
    Py_XINCREF(item);
    if (item != NULL && PyList_SetSlice(list, last, last + 1, NULL) < 0) {
        Py_DECREF(item);
        return NULL;
    }
    return item;
}

/* Take away what is seen at a path, and have what is in it wait: 0, or -1 with an exception. */
static int
bury_one(Table *table, Py_buffer *tops, PyObject *children, PyObject *path, PyObject *waiting, PyObject *gone)
{
    int *slot = slot_of(table, path), failed = 0;
    if (slot == NULL)
        return -1;
    if (*slot >= 0 && *slot < tops->len / (Py_ssize_t)sizeof(int) && ((int *)tops->buf)[*slot] >= 0) {
        PyObject *row = PyLong_FromLong(((int *)tops->buf)[*slot]);
        failed = row == NULL || PyList_Append(gone, row) < 0;
        Py_XDECREF(row);
        ((int *)tops->buf)[*slot] = -1;
    }
    PyObject *inside = failed ? NULL : PyDict_GetItemWithError(children, path);
    if (inside == NULL)
        return PyErr_Occurred() ? -1 : 0;
    Py_ssize_t beyond = PyList_Size(waiting);
    if (PyList_SetSlice(waiting, beyond, beyond, inside) < 0)
        return -1;
    return PyDict_DelItem(children, path);
}

static PyObject *
bury(PyObject *module, PyObject *args)
{
    Table self;
    Py_buffer tops;
    PyObject *children, *waiting, *gone;
    int failed = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!y*w*O!O!O!:bury", &PyList_Type, &self.paths, &self.slots, &tops, &PyDict_Type, &children,
                          &PyList_Type, &waiting, &PyList_Type, &gone))
        return NULL;
    if (!is_table(&self) || tops.itemsize != (Py_ssize_t)sizeof(int)) {
        PyErr_SetString(PyExc_ValueError, "columns that do not belong together");
        failed = 1;
    }
    while (!failed && PyList_Size(waiting) > 0) {
        PyObject *path = take_last(waiting);
        failed = path == NULL || bury_one(&self, &tops, children, path, waiting, gone) < 0;
        Py_XDECREF(path);
    }
    PyBuffer_Release(&self.slots);
    PyBuffer_Release(&tops);
    return failed ? NULL : Py_BuildValue("");
}

enum { ONCE = 1, OFTEN = 2 };

/* Add up what the leaves of all layers weigh. The least of a path is kept where its first row stands: as a leaf that one was
 * seen before, and as none it weighs nothing. If nothing was done, 0 where a sum may be too large, -1 for no such row. */
static int
weigh(const int *numbers, long long *weights, const unsigned char *leaves, unsigned char *seen, Py_ssize_t rows, long long sums[3])
{
    long long discovered = 0, needed = 0, wasted = 0, most = PY_LLONG_MAX / (rows + 1);
    int fits = 1;
    for (Py_ssize_t row = 0; row < rows; row++) {
        if (numbers[row] < 0 || numbers[row] > row)
            return -1;
        fits = fits && weights[row] >= 0 && weights[row] <= most;
    }
    if (!fits)
        return 0;
    for (Py_ssize_t row = 0; row < rows; row++) {
        if (!leaves[row])
            continue;
        long long weight = weights[row];
        int number = numbers[row];
        discovered += weight;
        if (!seen[number]) {
            seen[number] = ONCE;
            weights[number] = weight;
            needed += weight;
            continue;
        }
        wasted += seen[number] == ONCE ? weights[number] + weight : weight;
        seen[number] = OFTEN;
        if (weight < weights[number]) {
            needed += weight - weights[number];
            weights[number] = weight;
        }
    }
    sums[0] = discovered;
    sums[1] = needed;
    sums[2] = wasted;
    return 1;
}

static PyObject *
gather(PyObject *module, PyObject *args)
{
    Py_buffer numbers, weights, leaves;
    long long sums[3];
    int done = -1;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*w*y*:gather", &numbers, &weights, &leaves))
        return NULL;
    Py_ssize_t rows = leaves.len;
    unsigned char *seen = PyMem_Calloc((size_t)rows + 1, 1);
    if (seen == NULL)
        PyErr_NoMemory();
    else if (numbers.itemsize == (Py_ssize_t)sizeof(int) && weights.itemsize == (Py_ssize_t)sizeof(long long)
             && numbers.len / (Py_ssize_t)sizeof(int) == rows && weights.len / (Py_ssize_t)sizeof(long long) == rows)
        done = weigh(numbers.buf, weights.buf, leaves.buf, seen, rows, sums);
    PyMem_Free(seen);
    PyBuffer_Release(&numbers);
    PyBuffer_Release(&weights);
    PyBuffer_Release(&leaves);
    if (done < 0 && !PyErr_Occurred())
        PyErr_SetString(PyExc_ValueError, "columns that do not belong together");
    if (done < 0)
        return NULL;
    return done ? Py_BuildValue("LLL", sums[0], sums[1], sums[2]) : Py_BuildValue("");
}

static PyMethodDef functions[] = {
    {"bury", bury, METH_VARARGS, "bury(paths, slots, tops, children, waiting, gone, /)\n--\n\n"
     "Take away what is seen at the paths that wait, and all that is in them; append the rows to those that are gone."},
    {"gather", gather, METH_VARARGS, "gather(numbers, weights, leaves, /)\n--\n\n"
     "Return what leaves weigh, the least of each path, and all of paths that have several; None if that may be too much."},
    {"number", number, METH_VARARGS, "number(paths, slots, numbers, /)\n--\n\n"
     "Number each path by the first that is equal, and fill a table for `seek`: a power of two of slots, each -1."},
    {"put", put, METH_VARARGS, "put(paths, folders, at, start, position, implied, children, kinds, fates, numbers, ended, successors, ousted, tops, /)\n--\n\n"
     "Put plain rows of a layer from one on; return the first that was not put."},
    {"seek", seek, METH_VARARGS, "seek(paths, slots, path, /)\n--\n\nReturn the number of a path, -1 if it has none."},
    {NULL, NULL, 0, NULL},
};

static int
fill(PyObject *module)
{
    return PyModule_AddStringConstant(module, "SOURCE", LAYERSCOPE_SOURCE);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, fill},
    {0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "layerscope.stacking",
    .m_doc = "Puts runs of plain rows; see stacking.c.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC
PyInit_stacking(void)
{
    return PyModuleDef_Init(&module);
}
