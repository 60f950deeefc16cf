use super::*;
use handler::ComponentHandler;

#[path = "../../tests/host/handler.rs"]
mod handler;

fn news(host: &ComWrapper<ComponentHandler>) -> News {
    let news = News::new(Arc::new(Mutex::new(host.to_com_ptr::<IComponentHandler>())));
    news.settle();
    news
}

#[test]
fn a_changed_project_is_told_once_and_on_the_main_thread_only() {
    let host = ComWrapper::new(ComponentHandler::default());
    let news = news(&host);
    news.tell_dirty();
    news.post(Notice::DocumentChanged);
    std::thread::scope(|scope| drop(scope.spawn(|| news.tell_dirty())));
    assert_eq!(host.dirty.get(), 0);
    news.tell_dirty();
    news.tell_dirty();
    assert_eq!((host.dirty.get(), host.restarts.take()), (1, vec![]));
}

#[test]
fn the_run_loop_tells_everything_and_a_block_takes_the_values_before_it() {
    let host = ComWrapper::new(ComponentHandler::default());
    let news = news(&host);
    for notice in [Notice::ValuesChanged, Notice::NamesChanged, Notice::LatencyChanged, Notice::StatusChanged] {
        news.post(notice);
    }
    assert!(news.take_values());
    news.tell();
    let told = RestartFlags_::kParamTitlesChanged | RestartFlags_::kLatencyChanged;
    assert_eq!(host.restarts.take(), [told as i32]);
    news.post(Notice::ValuesChanged);
    news.tell();
    news.tell();
    assert_eq!(host.restarts.take(), [RestartFlags_::kParamValuesChanged as i32]);
    assert!(!news.take_values());
}

#[test]
fn what_happens_before_there_is_a_handler_waits_for_it() {
    let host = ComWrapper::new(ComponentHandler::default());
    let news = News::default();
    news.settle();
    news.post(Notice::DocumentChanged);
    news.tell();
    *lock(&news.handler) = host.to_com_ptr::<IComponentHandler>();
    news.tell();
    assert_eq!(host.dirty.get(), 1);
}
