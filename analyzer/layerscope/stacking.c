/* Which of the next rows of a layer are put with nothing to decide? Puts them; whatever takes thought is left to the loop in
 * rootfs/. Which number has a path, and what goes with a folder? And what do rows of one path weigh together, as dive counts?
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
#include <limits.h>
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

/* Whether the sum of weights can be no more than a number holds. */
static int
fits(const long long *weights, Py_ssize_t rows)
{
    long long most = PY_LLONG_MAX / (rows + 1);
    for (Py_ssize_t row = 0; row < rows; row++)
        if (weights[row] < 0 || weights[row] > most)
            return 0;
    return 1;
}

/* Add up what the leaves of all layers weigh. The least of a path is kept where its first row stands: as a leaf that one was
 * seen before, and as none it weighs nothing. If nothing was done, 0 where a sum may be too large, -1 for no such row. */
static int
weigh(const int *numbers, long long *weights, const unsigned char *leaves, unsigned char *seen, Py_ssize_t rows, long long sums[3])
{
    long long discovered = 0, needed = 0, wasted = 0;
    for (Py_ssize_t row = 0; row < rows; row++)
        if (numbers[row] < 0 || numbers[row] > row)
            return -1;
    if (!fits(weights, rows))
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

/* What follows is one short loop over the rows of a layer each; see columns.py, which says what they return. */

/* Return bytes of as many rows, all 0, and where they are; NULL with an exception. */
static PyObject *
new_mask(Py_ssize_t rows, char **bits)
{
    PyObject *mask = PyBytes_FromStringAndSize(NULL, rows);
    if (mask != NULL)
        *bits = memset(PyBytes_AsString(mask), 0, (size_t)rows);
    return mask;
}

static PyObject *
where(PyObject *module, PyObject *args)
{
    Py_buffer mask;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*:where", &mask))
        return NULL;
    const char *bits = mask.buf;
    Py_ssize_t count = 0, at = 0;
    for (Py_ssize_t row = 0; row < mask.len; row++)
        count += bits[row] != 0;
    PyObject *rows = PyList_New(count);
    for (Py_ssize_t row = 0; rows != NULL && at < count; row++) {
        PyObject *item = bits[row] ? PyLong_FromSsize_t(row) : NULL;
        if (bits[row] && (item == NULL || PyList_SetItem(rows, at++, item) < 0))
            Py_CLEAR(rows);
    }
    PyBuffer_Release(&mask);
    return rows;
}

static PyObject *
turns(PyObject *module, PyObject *args)
{
    PyObject *folders, *before = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!:turns", &PyList_Type, &folders))
        return NULL;
    char *bits = NULL;
    Py_ssize_t rows = PyList_Size(folders);
    PyObject *mask = new_mask(rows, &bits);
    for (Py_ssize_t row = 0; mask != NULL && row < rows; row++) {
        PyObject *folder = PyList_GetItem(folders, row);
        bits[row] = folder != before;
        before = folder;
    }
    return mask;
}

static PyObject *
among(PyObject *module, PyObject *args)
{
    PyObject *folders, *wanted, *before = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O:among", &PyList_Type, &folders, &wanted))
        return NULL;
    int found = 0;
    char *bits = NULL;
    Py_ssize_t rows = PyList_Size(folders);
    PyObject *mask = new_mask(rows, &bits);
    for (Py_ssize_t row = 0; mask != NULL && row < rows; row++) {
        PyObject *folder = PyList_GetItem(folders, row);
        if (folder == NULL || (folder != before && (found = PySequence_Contains(wanted, folder)) < 0)) {
            Py_DECREF(mask);
            return NULL;
        }
        before = folder;
        bits[row] = (char)found;
    }
    return mask;
}

static PyObject *
spread(PyObject *module, PyObject *args)
{
    PyObject *numbers, *folders, *before = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!:spread", &PyDict_Type, &numbers, &PyList_Type, &folders))
        return NULL;
    long number = 0;
    Py_ssize_t rows = PyList_Size(folders);
    PyObject *column = PyBytes_FromStringAndSize(NULL, rows * (Py_ssize_t)sizeof(int));
    for (Py_ssize_t row = 0; column != NULL && row < rows; row++) {
        PyObject *folder = PyList_GetItem(folders, row);
        if (folder != before) {
            PyObject *found = PyDict_GetItemWithError(numbers, folder);
            if (found == NULL && !PyErr_Occurred())
                PyErr_SetObject(PyExc_KeyError, folder);
            number = found == NULL ? -1 : PyLong_AsLong(found);
            if (!PyErr_Occurred() && (number < INT_MIN || number > INT_MAX))
                PyErr_SetString(PyExc_OverflowError, "a number that no column holds");
            if (PyErr_Occurred()) {
                Py_DECREF(column);
                return NULL;
            }
        }
        before = folder;
        int plain = (int)number;
        memcpy(PyBytes_AsString(column) + row * (Py_ssize_t)sizeof plain, &plain, sizeof plain);
    }
    return column;
}

/* A way to end, and the next one with the same last two bytes, -1 if there is none. */
typedef struct {
    const char *text;
    Py_ssize_t size;
    int next;
} Tail;

enum { ENDS = 1 << 16 }; /* of two bytes */

static int
last_two(const char *text, Py_ssize_t size)
{
    return (unsigned char)text[size - 2] << 8 | (unsigned char)text[size - 1];
}

/* Take ways to end, and for each two bytes the first way that ends in them: 0, or -1 with an exception. */
static int
take_tails(PyObject *tails, Tail *ways, int *first)
{
    memset(first, -1, ENDS * sizeof *first);
    for (int which = 0; which < (int)PyTuple_Size(tails); which++) {
        PyObject *tail = PyTuple_GetItem(tails, which);
        Tail *way = ways + which;
        way->size = PyBytes_CheckExact(tail) ? PyBytes_Size(tail) : 0;
        if (way->size < 2) {
            PyErr_SetString(PyExc_ValueError, "ends are bytes, at least two");
            return -1;
        }
        way->text = PyBytes_AsString(tail);
        int *place = first + last_two(way->text, way->size);
        way->next = *place;
        *place = which;
    }
    return 0;
}

static PyObject *
ending(PyObject *module, PyObject *args)
{
    PyObject *paths, *tails;
    Py_buffer mask;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!O!y*:ending", &PyList_Type, &paths, &PyTuple_Type, &tails, &mask))
        return NULL;
    char *bits = NULL;
    Py_ssize_t rows = PyList_Size(paths);
    PyObject *found = new_mask(rows, &bits);
    Tail *ways = PyMem_Malloc((size_t)PyTuple_Size(tails) * sizeof *ways + ENDS * sizeof(int));
    int *first = (int *)(ways + PyTuple_Size(tails));
    if (mask.len != rows)
        PyErr_SetString(PyExc_ValueError, "columns that do not belong together");
    else if (ways == NULL)
        PyErr_NoMemory();
    else if (found != NULL && take_tails(tails, ways, first) == 0)
        for (Py_ssize_t row = 0; row < rows; row++) {
            PyObject *path = ((char *)mask.buf)[row] ? PyList_GetItem(paths, row) : NULL;
            if (path == NULL)
                continue;
            if (!PyBytes_CheckExact(path)) {
                PyErr_SetString(PyExc_TypeError, "paths are bytes");
                break;
            }
            Py_ssize_t size = PyBytes_Size(path);
            const char *text = PyBytes_AsString(path);
            for (int which = size < 2 ? -1 : first[last_two(text, size)]; which >= 0 && !bits[row]; which = ways[which].next)
                bits[row] = ways[which].size <= size
                    && memcmp(text + size - ways[which].size, ways[which].text, (size_t)ways[which].size) == 0;
        }
    PyMem_Free(ways);
    PyBuffer_Release(&mask);
    if (PyErr_Occurred())
        Py_CLEAR(found);
    return found;
}

static PyObject *
translate(PyObject *module, PyObject *args)
{
    Py_buffer numbers, table;
    char *bits = NULL;
    PyObject *mask = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*:translate", &numbers, &table))
        return NULL;
    Py_ssize_t rows = numbers.len / (Py_ssize_t)sizeof(int);
    if (numbers.itemsize != (Py_ssize_t)sizeof(int))
        PyErr_SetString(PyExc_ValueError, "numbers of another type");
    else
        mask = new_mask(rows, &bits);
    for (Py_ssize_t row = 0; mask != NULL && row < rows; row++) {
        int number = ((int *)numbers.buf)[row];
        if (number >= 0 && number < table.len)
            bits[row] = ((char *)table.buf)[number];
    }
    PyBuffer_Release(&numbers);
    PyBuffer_Release(&table);
    return mask;
}

/* Read a row from a list of them: less than `rows`, or -1 with an exception. */
static Py_ssize_t
row_of(PyObject *list, Py_ssize_t at, Py_ssize_t rows)
{
    Py_ssize_t row = PyLong_AsSsize_t(PyList_GetItem(list, at));
    if (!PyErr_Occurred() && (row < 0 || row >= rows))
        PyErr_SetString(PyExc_IndexError, "no such row");
    return PyErr_Occurred() ? -1 : row;
}

/* Compare lists of numbers, row by row. */
static void
differ_lists(PyObject *one, PyObject *rows, PyObject *other, PyObject *twins, char *mask)
{
    for (Py_ssize_t at = 0; at < PyList_Size(rows); at++) {
        Py_ssize_t row = row_of(rows, at, PyList_Size(one)), twin = row < 0 ? -1 : row_of(twins, at, PyList_Size(other));
        int same = twin < 0 ? -1 : PyObject_RichCompareBool(PyList_GetItem(one, row), PyList_GetItem(other, twin), Py_EQ);
        if (same < 0)
            return;
        mask[at] = !same;
    }
}

static void
differ_columns(PyObject *one, PyObject *rows, PyObject *other, PyObject *twins, char *mask)
{
    Py_buffer mine, others;
    if (PyObject_GetBuffer(one, &mine, PyBUF_SIMPLE) < 0)
        return;
    if (PyObject_GetBuffer(other, &others, PyBUF_SIMPLE) == 0) {
        Py_ssize_t size = mine.itemsize;
        if (size <= 0 || size != others.itemsize)
            PyErr_SetString(PyExc_ValueError, "columns of two types");
        for (Py_ssize_t at = 0; at < PyList_Size(rows) && !PyErr_Occurred(); at++) {
            Py_ssize_t row = row_of(rows, at, mine.len / size), twin = row < 0 ? -1 : row_of(twins, at, others.len / size);
            if (twin >= 0)
                mask[at] = memcmp((char *)mine.buf + row * size, (char *)others.buf + twin * size, (size_t)size) != 0;
        }
        PyBuffer_Release(&others);
    }
    PyBuffer_Release(&mine);
}

static PyObject *
differ(PyObject *module, PyObject *args)
{
    PyObject *one, *rows, *other, *twins;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO!OO!:differ", &one, &PyList_Type, &rows, &other, &PyList_Type, &twins))
        return NULL;
    if (PyList_Size(rows) != PyList_Size(twins)) {
        PyErr_SetString(PyExc_ValueError, "rows that have no twin");
        return NULL;
    }
    char *bits = NULL;
    PyObject *mask = new_mask(PyList_Size(rows), &bits);
    if (mask == NULL)
        return NULL;
    (PyList_Check(one) && PyList_Check(other) ? differ_lists : differ_columns)(one, rows, other, twins, bits);
    if (PyErr_Occurred())
        Py_CLEAR(mask);
    return mask;
}

/* Read a number from a column of them or of bytes. */
static int
number_at(const Py_buffer *numbers, Py_ssize_t row)
{
    return numbers->itemsize == 1 ? ((unsigned char *)numbers->buf)[row] : ((int *)numbers->buf)[row];
}

static PyObject *
add_rows(const Py_buffer *numbers, const long long *weights, const char *mask, Py_ssize_t rows)
{
    int least = 0, most = 0;
    for (Py_ssize_t row = 0; row < rows; row++) {
        int number = number_at(numbers, row);
        least = number < least ? number : least;
        most = number > most ? number : most;
    }
    Py_ssize_t width = (Py_ssize_t)most - least + 1;
    long long(*sums)[2] = width > 8 * rows + 1024 ? NULL : PyMem_Calloc((size_t)width, sizeof *sums);
    PyObject *found = sums == NULL ? NULL : PyDict_New();
    if (sums == NULL)
        return Py_BuildValue(""); /* numbers that lie far from one another */
    for (Py_ssize_t row = 0; row < rows; row++)
        if (mask[row]) {
            long long *sum = sums[number_at(numbers, row) - (Py_ssize_t)least];
            sum[0]++;
            sum[1] += weights[row];
        }
    for (Py_ssize_t at = 0; found != NULL && at < width; at++) {
        if (sums[at][0] == 0)
            continue;
        PyObject *number = PyLong_FromSsize_t(at + least), *sum = Py_BuildValue("(LL)", sums[at][0], sums[at][1]);
        if (number == NULL || sum == NULL || PyDict_SetItem(found, number, sum) < 0)
            Py_CLEAR(found);
        Py_XDECREF(number);
        Py_XDECREF(sum);
    }
    PyMem_Free(sums);
    return found;
}

static PyObject *
add_up(PyObject *module, PyObject *args)
{
    Py_buffer numbers, weights, mask;
    PyObject *found = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*y*:add_up", &numbers, &weights, &mask))
        return NULL;
    Py_ssize_t rows = mask.len;
    if ((numbers.itemsize != 1 && numbers.itemsize != (Py_ssize_t)sizeof(int)) || numbers.len / numbers.itemsize != rows
        || weights.itemsize != (Py_ssize_t)sizeof(long long) || weights.len / (Py_ssize_t)sizeof(long long) != rows)
        PyErr_SetString(PyExc_ValueError, "columns that do not belong together");
    else if (fits(weights.buf, rows))
        found = add_rows(&numbers, weights.buf, mask.buf, rows);
    else
        found = Py_BuildValue("");
    PyBuffer_Release(&numbers);
    PyBuffer_Release(&weights);
    PyBuffer_Release(&mask);
    return found;
}

/* A row and its size. */
typedef struct {
    long long row, size;
} Sized;

/* Keep a row among the largest, which are in order, if it is one of them; return how many there are. */
static Py_ssize_t
keep_largest(Sized *found, Py_ssize_t there, Py_ssize_t most, Sized one)
{
    Py_ssize_t at = there < most ? there : most - 1;
    if (at < 0 || (at < there && (one.size < found[at].size || (one.size == found[at].size && one.row >= found[at].row))))
        return there;
    for (; at > 0 && (found[at - 1].size < one.size || (found[at - 1].size == one.size && found[at - 1].row > one.row)); at--)
        found[at] = found[at - 1];
    found[at] = one;
    return there < most ? there + 1 : there;
}

static PyObject *
largest(PyObject *module, PyObject *args)
{
    Py_buffer rows, sizes;
    Py_ssize_t most, there = 0;
    PyObject *list = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "y*y*n:largest", &rows, &sizes, &most))
        return NULL;
    Py_ssize_t width = (Py_ssize_t)sizeof(long long), count = rows.len / width;
    most = most < 0 ? 0 : most < count ? most : count;
    Sized *found = PyMem_Malloc((size_t)most * sizeof *found + 1);
    if (found == NULL)
        PyErr_NoMemory();
    else if (rows.itemsize != width || sizes.itemsize != width || rows.len != sizes.len)
        PyErr_SetString(PyExc_ValueError, "columns that do not belong together");
    else {
        for (Py_ssize_t at = 0; at < count; at++) {
            Sized one = {((long long *)rows.buf)[at], ((long long *)sizes.buf)[at]};
            there = keep_largest(found, there, most, one);
        }
        list = PyList_New(0);
    }
    for (Py_ssize_t at = 0; list != NULL && at < there; at++) {
        PyObject *pair = Py_BuildValue("(LL)", found[at].row, found[at].size);
        if (pair == NULL || PyList_Append(list, pair) < 0)
            Py_CLEAR(list);
        Py_XDECREF(pair);
    }
    PyMem_Free(found);
    PyBuffer_Release(&rows);
    PyBuffer_Release(&sizes);
    return list;
}

static int
append_row(PyObject *list, Py_ssize_t row)
{
    PyObject *item = PyLong_FromSsize_t(row);
    int failed = item == NULL || PyList_Append(list, item) < 0;
    Py_XDECREF(item);
    return failed ? -1 : 0;
}

static PyObject *
pair_off(PyObject *module, PyObject *args)
{
    PyObject *rows;
    Py_ssize_t start, first, beyond;
    Py_buffer sizes, successors, linked;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!y*ny*y*nn:pair_off", &PyList_Type, &rows, &sizes, &start, &successors, &linked, &first, &beyond))
        return NULL;
    Py_ssize_t count = sizes.len / (Py_ssize_t)sizeof(long long);
    PyObject *plain = PyList_New(0), *twins = PyList_New(0), *others = PyList_New(0);
    if (sizes.itemsize != (Py_ssize_t)sizeof(long long) || successors.itemsize != (Py_ssize_t)sizeof(int) || start < 0
        || successors.len / (Py_ssize_t)sizeof(int) != linked.len || start > linked.len || count > linked.len - start || first < 0
        || beyond > linked.len)
        PyErr_SetString(PyExc_ValueError, "columns that do not belong together");
    for (Py_ssize_t at = 0; at < PyList_Size(rows) && !PyErr_Occurred(); at++) {
        Py_ssize_t row = row_of(rows, at, count);
        if (row < 0)
            break;
        Py_ssize_t twin = ((int *)successors.buf)[start + row];
        const char *is_linked = linked.buf;
        if (((long long *)sizes.buf)[row] == 0 || twin < first || twin >= beyond || is_linked[start + row] || is_linked[twin])
            append_row(others, row);
        else if (append_row(plain, row) == 0)
            append_row(twins, twin - first);
    }
    PyBuffer_Release(&sizes);
    PyBuffer_Release(&successors);
    PyBuffer_Release(&linked);
    PyObject *found = PyErr_Occurred() ? NULL : PyTuple_Pack(3, plain, twins, others);
    Py_XDECREF(plain);
    Py_XDECREF(twins);
    Py_XDECREF(others);
    return found;
}

static PyObject *
sort_out(PyObject *module, PyObject *args)
{
    PyObject *rows, *found = NULL;
    Py_ssize_t start, counts[2] = {0, 0};
    Py_buffer sizes;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!ny*:sort_out", &PyList_Type, &rows, &start, &sizes))
        return NULL;
    Py_ssize_t count = PyList_Size(rows), there = sizes.len / (Py_ssize_t)sizeof(long long);
    long long *columns = PyMem_Calloc((size_t)count + 1, 3 * sizeof *columns);
    if (columns == NULL)
        PyErr_NoMemory();
    else if (sizes.itemsize != (Py_ssize_t)sizeof(long long) || start < 0)
        PyErr_SetString(PyExc_ValueError, "columns that do not belong together");
    for (Py_ssize_t at = 0; at < count && !PyErr_Occurred(); at++) {
        Py_ssize_t row = row_of(rows, at, there);
        if (row < 0)
            break;
        long long size = ((long long *)sizes.buf)[row];
        if (size != 0)
            columns[count + counts[0]] = size;
        columns[size != 0 ? counts[0] : 2 * count + counts[1]] = (long long)start + row;
        counts[size == 0]++;
    }
    if (!PyErr_Occurred()) {
        Py_ssize_t width = (Py_ssize_t)sizeof *columns;
        found = Py_BuildValue("(y#y#y#)", columns, counts[0] * width, columns + count, counts[0] * width, columns + 2 * count,
                              counts[1] * width);
    }
    PyMem_Free(columns);
    PyBuffer_Release(&sizes);
    return found;
}

static PyMethodDef functions[] = {
    {"add_up", add_up, METH_VARARGS, "add_up(numbers, weights, mask, /)\n--\n\n"
     "Return the count and weight of each number's rows; None if that may be too much."},
    {"among", among, METH_VARARGS, "among(folders, wanted, /)\n--\n\nReturn a mask of the folders that are wanted."},
    {"differ", differ, METH_VARARGS, "differ(one, rows, other, twins, /)\n--\n\nReturn a mask of where two columns differ."},
    {"ending", ending, METH_VARARGS, "ending(paths, tails, mask, /)\n--\n\n"
     "Return a mask of those of some paths that end in one of some ways."},
    {"largest", largest, METH_VARARGS, "largest(rows, sizes, count, /)\n--\n\nReturn rows of the largest sizes, each with its size."},
    {"pair_off", pair_off, METH_VARARGS, "pair_off(rows, sizes, start, successors, linked, first, beyond, /)\n--\n\n"
     "Return rows whose successor is in a layer, these, and all other rows."},
    {"sort_out", sort_out, METH_VARARGS, "sort_out(rows, start, sizes, /)\n--\n\n"
     "Return the ids of rows with a size, the sizes, and the ids of the others, as bytes of columns."},
    {"spread", spread, METH_VARARGS, "spread(numbers, folders, /)\n--\n\nReturn the number of each folder, as bytes of a column."},
    {"translate", translate, METH_VARARGS, "translate(numbers, table, /)\n--\n\nReturn what a table has for each number."},
    {"turns", turns, METH_VARARGS, "turns(folders, /)\n--\n\nReturn a mask of where another folder begins."},
    {"where", where, METH_VARARGS, "where(mask, /)\n--\n\nReturn the rows that are in a mask."},
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
