/* An ALSA sequencer that is open and silent, preloaded into qtractor, which starts no session without one. A container
 * has no /dev/snd/seq. Only the calls that need the kernel are here; the library's own structures stay its own.
 *
 * cc -shared -fPIC -o fake_seq.so fake_seq.c
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/eventfd.h>

static int silence = -1; /* never readable: no event ever arrives */
static char sequencer;
static int queues, ports;

static int open_silence(void) {
    if (silence < 0) silence = eventfd(0, EFD_CLOEXEC);
    return silence;
}

/* "hw" is qtractor's second client, for announcements of ports that will never come. */
int snd_seq_open(void **to, const char *name, int streams, int mode) {
    (void)streams, (void)mode;
    if (strcmp(name, "default") != 0 || open_silence() < 0) return -ENOENT;
    *to = &sequencer;
    return 0;
}

int snd_seq_client_id(void *seq) { return seq == &sequencer ? 128 : -EINVAL; }
int snd_seq_alloc_queue(void *seq) { return (void)seq, queues++; }
int snd_seq_create_simple_port(void *seq, const char *name, unsigned caps, unsigned type) {
    return (void)seq, (void)name, (void)caps, (void)type, ports++;
}
int snd_seq_poll_descriptors_count(void *seq, short events) { return (void)seq, (void)events, 1; }
int snd_seq_poll_descriptors(void *seq, struct pollfd *to, unsigned space, short events) {
    (void)seq;
    if (space < 1) return 0;
    *to = (struct pollfd){.fd = open_silence(), .events = events};
    return 1;
}

/* Nothing to read, nobody else there, no clock to compare with. */
int snd_seq_event_input(void *seq, void **event) { return (void)seq, *event = NULL, -EAGAIN; }
int snd_seq_event_input_pending(void *seq, int fetch) { return (void)seq, (void)fetch, 0; }
int snd_seq_query_next_client(void *seq, void *info) { return (void)seq, (void)info, -ENOENT; }
int snd_seq_query_next_port(void *seq, void *info) { return (void)seq, (void)info, -ENOENT; }
int snd_seq_query_port_subscribers(void *seq, void *query) { return (void)seq, (void)query, -ENOENT; }
int snd_seq_get_any_client_info(void *seq, int client, void *info) { return (void)seq, (void)client, (void)info, -ENOENT; }
int snd_seq_get_any_port_info(void *seq, int client, int port, void *info) {
    return (void)seq, (void)client, (void)port, (void)info, -ENOENT;
}
int snd_seq_get_queue_status(void *seq, int queue, void *status) { return (void)seq, (void)queue, (void)status, -ENOENT; }

/* Taken and dropped. */
int snd_seq_close(void *seq) { return (void)seq, 0; }
int snd_seq_set_client_name(void *seq, const char *name) { return (void)seq, (void)name, 0; }
int snd_seq_free_queue(void *seq, int queue) { return (void)seq, (void)queue, 0; }
int snd_seq_control_queue(void *seq, int queue, int type, int value, void *event) {
    return (void)seq, (void)queue, (void)type, (void)value, (void)event, 0;
}
int snd_seq_delete_simple_port(void *seq, int port) { return (void)seq, (void)port, 0; }
int snd_seq_get_port_info(void *seq, int port, void *info) { return (void)seq, (void)port, (void)info, 0; }
int snd_seq_set_port_info(void *seq, int port, void *info) { return (void)seq, (void)port, (void)info, 0; }
int snd_seq_get_queue_tempo(void *seq, int queue, void *tempo) { return (void)seq, (void)queue, (void)tempo, 0; }
int snd_seq_set_queue_tempo(void *seq, int queue, void *tempo) { return (void)seq, (void)queue, (void)tempo, 0; }
int snd_seq_set_queue_timer(void *seq, int queue, void *timer) { return (void)seq, (void)queue, (void)timer, 0; }
int snd_seq_subscribe_port(void *seq, void *subscription) { return (void)seq, (void)subscription, 0; }
int snd_seq_unsubscribe_port(void *seq, void *subscription) { return (void)seq, (void)subscription, 0; }
int snd_seq_event_output(void *seq, void *event) { return (void)seq, (void)event, 0; }
int snd_seq_event_output_direct(void *seq, void *event) { return (void)seq, (void)event, 0; }
int snd_seq_drain_output(void *seq) { return (void)seq, 0; }
int snd_seq_drop_output(void *seq) { return (void)seq, 0; }
int snd_seq_drop_input(void *seq) { return (void)seq, 0; }
int snd_seq_remove_events(void *seq, void *which) { return (void)seq, (void)which, 0; }
int snd_seq_free_event(void *event) { return (void)event, 0; }
